-- A name, if it was changed since its keys were computed: $1 mailbox.
SELECT m.id, m.account_id, m.name
FROM mailboxes m
WHERE m.id = $1
    AND (m.directory_name IS NULL OR m.directory_name <> m.name
        OR EXISTS (SELECT 1 FROM directory_names d WHERE d.mailbox_id = m.id AND d.account_id <> m.account_id))
