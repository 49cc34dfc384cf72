-- What the lamps of a mailbox tell: $1 mailbox.
SELECT
    COUNT(CASE WHEN folder = 'INBOX' AND urgent = TRUE THEN 1 END) AS urgent,
    COUNT(CASE WHEN folder = 'INBOX' AND urgent = FALSE THEN 1 END) AS fresh,
    COUNT(CASE WHEN folder = 'Old' THEN 1 END) AS old
FROM mailbox_messages
WHERE mailbox_id = $1
