-- What a line does with calls that it does not take: $1 line.
SELECT
    l.account_id,
    a.time_zone AS account_time_zone,
    l.mailbox_id,
    f.forward_busy,
    f.forward_unanswered,
    f.forward_unreachable,
    f.forward_shows_caller
FROM phone_lines l
JOIN accounts a ON a.id = l.account_id
JOIN line_features f ON f.line_id = l.id
WHERE l.id = $1
