-- $1 mailbox.
UPDATE mailbox_guesses SET guesses = 0 WHERE mailbox_id = $1
