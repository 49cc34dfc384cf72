-- People of an account by the keys of their names, in the order of these, each once: $1 account, $2 digits, $3 what comes after all that begins with
-- them, $4 to $6 parts of names, $7 and $8 department ('' for all); $9 account and $10, $11 department again, since what changed holds at once.
-- reached is the extension, if the account has it. COALESCE keeps PostgreSQL, while it has no statistics, from looking through all of an account for each of them.
SELECT m.id, m.account_id, m.name, COALESCE(NULLIF(m.extension, ''), m.number) AS extension, x.extension AS reached,
    g.audio_id, g.place, g.format, g.bytes, g.duration_ms
FROM (
    SELECT d.mailbox_id, MIN(d.spelling) AS spelling
    FROM directory_names d
    WHERE d.account_id = $1 AND d.digits >= $2 AND d.digits < $3 AND d.part IN ($4, $5, $6) AND ($7 = '' OR d.department = $8)
    GROUP BY d.mailbox_id
    ORDER BY MIN(d.spelling), d.mailbox_id
    LIMIT 200
) f
JOIN mailboxes m ON m.id = f.mailbox_id
LEFT JOIN extensions x ON x.account_id = m.account_id AND x.extension = COALESCE(NULLIF(m.extension, ''), m.number)
LEFT JOIN mailbox_greetings g ON g.mailbox_id = m.id AND g.kind = 'name'
WHERE COALESCE(m.account_id, '') = $9 AND m.status = 'active' AND m.hidden = FALSE AND ($10 = '' OR m.department = $11)
ORDER BY f.spelling, f.mailbox_id
