-- Audio that the database keeps: $1 its id.
SELECT audio FROM mailbox_audio WHERE id = $1 ORDER BY part
