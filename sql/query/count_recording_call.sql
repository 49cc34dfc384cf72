-- One call less: $1 order.
UPDATE recording_orders SET calls_left = calls_left - 1 WHERE id = $1 AND calls_left > 0 AND ended_at IS NULL
