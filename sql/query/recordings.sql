-- Recordings since a time, the newest first: $1 time; $2 line and $4 account, where $3 and $5 are not empty.
SELECT
    id, part, account_id, line_id, order_id, ordered_by, node, uniqueid, linked_id, direction, line_number, other_number, started_at, duration_ms, channels,
    expires_at, place, format, bytes
FROM recordings
WHERE started_at >= $1 AND (line_id = $2 OR $3 = '') AND (account_id = $4 OR $5 = '')
ORDER BY started_at DESC, id
LIMIT 1000
