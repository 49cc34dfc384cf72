-- The mailbox of a number in an account: $1 account, $2 number.
SELECT id FROM mailboxes WHERE account_id = $1 AND number = $2 AND status = 'active'
