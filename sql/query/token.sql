-- A token, with all that the audit log tells of it; no word of the secret.
SELECT
    t.id, t.person AS holder, t.role, t.secret_hash, t.created_at, t.expires_at, t.revoked_at,
    l.number, l.at, l.person, l.action, l.about, l.subject, l.previous_hash, l.hash
FROM tokens t
JOIN audit_log l ON l.about = t.id
WHERE t.id = $1
ORDER BY l.number
