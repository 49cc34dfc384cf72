-- Names that are to be found otherwise than their keys say, some of them, '' for none, and how many keys are known: $1 the mailbox after which they are looked for.
SELECT m.id, m.account_id, m.department, CASE WHEN m.status = 'active' AND m.hidden = FALSE THEN m.name ELSE '' END AS name,
    (SELECT COUNT(*) FROM directory_names k WHERE k.mailbox_id = m.id) AS known_keys
FROM mailboxes m
WHERE m.id > $1
    AND (m.directory_name IS NULL
        OR m.directory_name <> CASE WHEN m.status = 'active' AND m.hidden = FALSE THEN m.name ELSE '' END
        OR EXISTS (
            SELECT 1 FROM directory_names d
            WHERE d.mailbox_id = m.id AND (d.account_id <> m.account_id OR d.department <> m.department)
        ))
ORDER BY m.id
LIMIT 200
