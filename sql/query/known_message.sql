-- Whether a message is there: $1 its id.
SELECT id FROM mailbox_messages WHERE id = $1
