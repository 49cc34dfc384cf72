INSERT INTO audit_log (number, at, person, action, about, subject, previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
