-- Forgets the keys of a name: $1 mailbox.
DELETE FROM directory_names WHERE mailbox_id = $1
