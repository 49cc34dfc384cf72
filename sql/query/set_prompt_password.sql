-- $1 hash, $2 account.
UPDATE prompt_passwords SET password_hash = $1 WHERE account_id = $2
