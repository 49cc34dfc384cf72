-- The last entry of the chain.
SELECT number, at, person, action, about, subject, previous_hash, hash FROM audit_log ORDER BY number DESC LIMIT 1
