-- What came of an order: $1 outcome, $2 id.
UPDATE node_orders SET outcome = $1 WHERE id = $2
