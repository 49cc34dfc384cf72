-- Puts a message into another mailbox: $1, $2 mailbox, $3 message.
UPDATE mailbox_messages
SET mailbox_id = $1, account_id = (SELECT m.account_id FROM mailboxes m WHERE m.id = $2)
WHERE id = $3
