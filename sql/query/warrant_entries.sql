-- What the audit log tells of warrants.
SELECT l.number, l.at, l.person, l.action, l.about, l.subject, l.previous_hash, l.hash
FROM warrants w
JOIN audit_log l ON l.about = w.id
ORDER BY l.number
