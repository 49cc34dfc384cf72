-- $1 line, $2 slot, $3 number.
INSERT INTO speed_dials (line_id, slot, number) VALUES ($1, $2, $3)
