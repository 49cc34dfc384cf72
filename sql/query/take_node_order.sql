-- Takes an order that nobody has taken: $1 when, $2 which try, $3 id.
UPDATE node_orders SET taken_at = $1, taken_by = $2 WHERE id = $3 AND taken_at IS NULL
