-- $1 mailbox, $2 kind.
DELETE FROM mailbox_greetings WHERE mailbox_id = $1 AND kind = $2
