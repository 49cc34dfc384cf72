-- $1 line, $2 number.
INSERT INTO blocked_callers (line_id, number) VALUES ($1, $2)
