-- Every mailbox with what is in it, for operators.
SELECT
    m.id, m.account_id, m.number, m.name, m.status, m.set_up,
    m.password_hash,
    COUNT(CASE WHEN x.folder = 'INBOX' AND x.urgent = TRUE THEN 1 END) AS urgent,
    COUNT(CASE WHEN x.folder = 'INBOX' AND x.urgent = FALSE THEN 1 END) AS fresh,
    COUNT(CASE WHEN x.folder <> 'INBOX' THEN 1 END) AS kept,
    CAST(COALESCE(SUM(x.bytes), 0) AS BIGINT) AS bytes,
    CAST(COALESCE(SUM(x.duration_ms), 0) AS BIGINT) AS milliseconds
FROM mailboxes m
LEFT JOIN mailbox_messages x ON x.mailbox_id = m.id
GROUP BY m.id, m.account_id, m.number, m.name, m.status, m.set_up, m.password_hash
ORDER BY m.account_id, m.number
