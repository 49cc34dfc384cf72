-- $1 mailbox.
SELECT guesses, guessed_at FROM mailbox_guesses WHERE mailbox_id = $1
