-- $1 when, $2 mailbox.
UPDATE mailbox_guesses SET guesses = guesses + 1, guessed_at = $1 WHERE mailbox_id = $2
