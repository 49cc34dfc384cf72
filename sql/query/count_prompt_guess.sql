-- $1 when, $2 account.
UPDATE prompt_guesses SET guesses = guesses + 1, guessed_at = $1 WHERE account_id = $2
