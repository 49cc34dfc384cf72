-- How the owner of a mailbox is told of a message: $1 mailbox.
SELECT
    m.id, m.account_id, m.number, m.name, m.mail, m.pager, m.webhook, m.attach, m.delete_after_mail, m.language,
    COALESCE(m.time_zone, a.time_zone) AS time_zone,
    COALESCE(r.mail_from, '') AS mail_from,
    COALESCE(r.mail_subject, '') AS mail_subject,
    COALESCE(r.mail_body, '') AS mail_body,
    COALESCE(r.pager_subject, '') AS pager_subject,
    COALESCE(r.pager_body, '') AS pager_body,
    (SELECT COUNT(*) FROM mailbox_messages x WHERE x.mailbox_id = m.id AND x.folder = 'INBOX') AS unheard
FROM mailboxes m
JOIN accounts a ON a.id = m.account_id
LEFT JOIN mailbox_rules r ON r.account_id = m.account_id
WHERE m.id = $1
