-- What the lamps of all mailboxes tell.
SELECT
    m.id,
    COUNT(CASE WHEN x.folder = 'INBOX' AND x.urgent = TRUE THEN 1 END) AS urgent,
    COUNT(CASE WHEN x.folder = 'INBOX' AND x.urgent = FALSE THEN 1 END) AS fresh,
    COUNT(CASE WHEN x.folder = 'Old' THEN 1 END) AS old
FROM mailboxes m
LEFT JOIN mailbox_messages x ON x.mailbox_id = m.id
GROUP BY m.id
ORDER BY m.id
