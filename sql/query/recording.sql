-- A recording: $1 its id.
SELECT
    id, part, account_id, line_id, order_id, ordered_by, node, uniqueid, linked_id, direction, line_number, other_number, started_at, duration_ms, channels,
    expires_at, place, format, bytes
FROM recordings
WHERE id = $1
