-- Where messages for a line go: $1 line.
SELECT m.id
FROM phone_lines l
JOIN mailboxes m ON m.id = l.mailbox_id
WHERE l.id = $1
