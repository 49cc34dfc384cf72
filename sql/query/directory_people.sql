-- People of an account by the keys of their names, in the order of these, each once: $1 account, $2 digits, $3 what comes after all that begins with
-- them, $4 to $6 parts of names, $7 and $8 department ('' for all).
SELECT f.id, f.account_id, f.name, f.extension, g.audio_id, g.place, g.format, g.bytes, g.duration_ms
FROM (
    SELECT m.id, m.account_id, m.name, m.number, COALESCE(NULLIF(m.extension, ''), m.number) AS extension, MIN(d.spelling) AS spelling
    FROM directory_names d
    JOIN mailboxes m ON m.id = d.mailbox_id AND m.account_id = d.account_id
    WHERE d.account_id = $1 AND d.digits >= $2 AND d.digits < $3 AND d.part IN ($4, $5, $6)
        AND m.status = 'active' AND m.hidden = FALSE AND ($7 = '' OR m.department = $8)
    GROUP BY m.id, m.account_id, m.name, m.number, m.extension
    ORDER BY MIN(d.spelling), m.number
    LIMIT 200
) f
LEFT JOIN mailbox_greetings g ON g.mailbox_id = f.id AND g.kind = 'name'
ORDER BY f.spelling, f.number
