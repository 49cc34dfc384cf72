-- A mailbox, what holds for its account, and how full both are: $1 mailbox.
-- What an account's mailboxes hold together is counted only where that is limited.
SELECT
    m.id,
    m.account_id,
    m.number,
    m.name,
    m.status,
    a.status AS account_status,
    m.password_hash,
    m.set_up,
    m.login_from_line,
    m.language,
    COALESCE(m.time_zone, a.time_zone) AS time_zone,
    m.operator,
    m.line_id,
    m.call_back,
    m.dial_out,
    m.send_messages,
    m.review,
    m.say_envelope,
    m.say_caller,
    m.say_duration,
    m.max_messages,
    m.max_minutes,
    m.max_seconds,
    m.min_seconds,
    m.silence_seconds,
    m.greeting_seconds,
    m.gain_db,
    r.max_messages AS account_max_messages,
    r.max_minutes AS account_max_minutes,
    (SELECT COUNT(*) FROM mailbox_messages x WHERE x.mailbox_id = m.id) AS messages,
    (SELECT CAST(COALESCE(SUM(x.duration_ms), 0) AS BIGINT) FROM mailbox_messages x WHERE x.mailbox_id = m.id) AS milliseconds,
    CASE WHEN COALESCE(r.max_messages, 0) > 0 THEN
        (SELECT COUNT(*) FROM mailbox_messages x WHERE x.account_id = m.account_id) END AS account_messages,
    CASE WHEN COALESCE(r.max_minutes, 0) > 0 THEN
        (SELECT CAST(COALESCE(SUM(x.duration_ms), 0) AS BIGINT) FROM mailbox_messages x WHERE x.account_id = m.account_id) END
        AS account_milliseconds
FROM mailboxes m
JOIN accounts a ON a.id = m.account_id
LEFT JOIN mailbox_rules r ON r.account_id = m.account_id
WHERE m.id = $1
