-- For how many days messages are kept, of all mailboxes that say so.
SELECT DISTINCT
    CAST(CASE WHEN m.retention_days > 0 THEN m.retention_days ELSE COALESCE(r.retention_days, 0) END AS BIGINT) AS days
FROM mailboxes m
LEFT JOIN mailbox_rules r ON r.account_id = m.account_id
WHERE m.retention_days > 0 OR r.retention_days > 0
