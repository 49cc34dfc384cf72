-- The owner was led through password, name and greetings: $1 mailbox.
UPDATE mailboxes SET set_up = TRUE WHERE id = $1
