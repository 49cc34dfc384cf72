-- Audio that the database keeps: $1 its id.
DELETE FROM mailbox_audio WHERE id = $1
