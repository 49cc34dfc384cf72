-- Messages that were kept long enough: $1 the oldest time that is kept, $2 the retention, in days, by which that is so.
SELECT x.id
FROM mailbox_messages x
JOIN mailboxes m ON m.id = x.mailbox_id
LEFT JOIN mailbox_rules r ON r.account_id = m.account_id
WHERE x.left_at < $1
    AND CAST(CASE WHEN m.retention_days > 0 THEN m.retention_days ELSE COALESCE(r.retention_days, 0) END AS BIGINT) = $2
ORDER BY x.left_at
LIMIT 500
