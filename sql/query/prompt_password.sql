-- The account of an active line, and its password for recording prompts: $1 line.
SELECT l.account_id, a.status, p.password_hash
FROM phone_lines l
JOIN accounts a ON a.id = l.account_id
LEFT JOIN prompt_passwords p ON p.account_id = l.account_id
WHERE l.id = $1 AND l.status = 'active'
