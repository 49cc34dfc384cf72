-- What is in a mailbox, oldest first: $1 mailbox.
SELECT
    id, folder, urgent, caller_number, caller_name, line_id, forwarded_by, left_at, duration_ms, place, format, bytes
FROM mailbox_messages
WHERE mailbox_id = $1
ORDER BY left_at, id
