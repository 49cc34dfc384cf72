-- $1 message.
DELETE FROM mailbox_messages WHERE id = $1
