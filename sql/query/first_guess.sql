-- $1 when, $2 mailbox.
INSERT INTO mailbox_guesses (mailbox_id, guesses, guessed_at)
SELECT m.id, 0, $1 FROM mailboxes m
WHERE m.id = $2 AND NOT EXISTS (SELECT 1 FROM mailbox_guesses g WHERE g.mailbox_id = m.id)
