-- Names that were changed since their keys were computed, some of them: $1 the mailbox after which they are looked for.
SELECT m.id, m.account_id, m.name
FROM mailboxes m
WHERE m.id > $1
    AND (m.directory_name IS NULL OR m.directory_name <> m.name
        OR EXISTS (SELECT 1 FROM directory_names d WHERE d.mailbox_id = m.id AND d.account_id <> m.account_id))
ORDER BY m.id
LIMIT 200
