-- The lines whose lamps tell of a mailbox: $1 mailbox.
SELECT id FROM phone_lines WHERE mailbox_id = $1 ORDER BY id
