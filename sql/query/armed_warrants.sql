-- Warrants that hold now, each with all that the audit log tells of it.
SELECT
    w.id, w.warrant_number, w.line_id, w.starts_at, w.ends_at, w.recipient, w.requested_by, w.requested_at, w.approved_by, w.approved_at, w.ended_by, w.ended_at,
    l.number, l.at, l.person, l.action, l.about, l.subject, l.previous_hash, l.hash
FROM warrants w
JOIN audit_log l ON l.about = w.id
WHERE w.ends_at > $1 AND w.starts_at <= $2 AND w.approved_at IS NOT NULL AND w.ended_at IS NULL
ORDER BY w.id, l.number
