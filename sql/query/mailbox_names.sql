-- Whom somebody can find by name in an account: $1 account.
SELECT m.id, m.number, m.name, g.audio_id, g.place, g.format, g.bytes, g.duration_ms
FROM mailboxes m
LEFT JOIN mailbox_greetings g ON g.mailbox_id = m.id AND g.kind = 'name'
WHERE m.account_id = $1 AND m.status = 'active' AND m.hidden = FALSE
ORDER BY m.name, m.number
