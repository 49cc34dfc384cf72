-- $1 when, $2 account.
INSERT INTO prompt_guesses (account_id, guesses, guessed_at)
SELECT a.id, 0, $1 FROM accounts a
WHERE a.id = $2 AND NOT EXISTS (SELECT 1 FROM prompt_guesses g WHERE g.account_id = a.id)
