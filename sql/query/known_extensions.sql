-- The extensions of an account: $1 account.
SELECT extension, account_id FROM extensions WHERE account_id = $1
