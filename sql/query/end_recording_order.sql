-- Ends an order: $1 time, $2 order.
UPDATE recording_orders SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL
