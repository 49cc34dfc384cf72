-- A message. Its account is the mailbox's.
INSERT INTO mailbox_messages
    (id, mailbox_id, folder, urgent, caller_number, caller_name, line_id, forwarded_by, left_at, duration_ms, place, format, bytes, node, uniqueid,
    changed_at, account_id)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, m.account_id
FROM mailboxes m
WHERE m.id = $17
