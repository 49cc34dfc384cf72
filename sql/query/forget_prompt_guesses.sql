-- $1 account.
UPDATE prompt_guesses SET guesses = 0 WHERE account_id = $1
