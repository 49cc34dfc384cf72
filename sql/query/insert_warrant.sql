INSERT INTO warrants (id, warrant_number, line_id, starts_at, ends_at, recipient, requested_by, requested_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
