-- $1 account.
SELECT guesses, guessed_at FROM prompt_guesses WHERE account_id = $1
