-- What is to be recorded, as far as nobody ended it. $1: the time; what ended before is left out.
SELECT
    o.id, o.line_id, COALESCE(o.account_id, l.account_id) AS account_id, o.calls_left, o.form, o.ordered_by, o.ordered_at, o.ends_at,
    a.recording_notice, a.recording_beep_seconds, a.recording_days
FROM recording_orders o
LEFT JOIN phone_lines l ON l.id = o.line_id
JOIN accounts a ON a.id = COALESCE(o.account_id, l.account_id)
WHERE o.ended_at IS NULL AND (o.ends_at IS NULL OR o.ends_at > $1)
ORDER BY o.ordered_at, o.id
