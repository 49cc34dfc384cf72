-- $1 hash, $2 account, $3 account.
INSERT INTO prompt_passwords (password_hash, account_id)
SELECT $1, a.id FROM accounts a WHERE a.id = $2 AND NOT EXISTS (SELECT 1 FROM prompt_passwords p WHERE p.account_id = $3)
