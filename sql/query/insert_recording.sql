-- A recording.
INSERT INTO recordings
    (id, part, account_id, line_id, order_id, ordered_by, node, uniqueid, linked_id, direction, line_number, other_number, started_at, duration_ms, channels,
    expires_at, place, format, bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
