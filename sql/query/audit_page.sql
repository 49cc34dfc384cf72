-- Entries after a number, in order.
SELECT number, at, person, action, about, subject, previous_hash, hash FROM audit_log WHERE number > $1 ORDER BY number LIMIT 500
