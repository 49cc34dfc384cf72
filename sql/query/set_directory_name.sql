-- Notes from which name the keys were computed: $1 name, $2 mailbox.
UPDATE mailboxes SET directory_name = $1 WHERE id = $2
