-- Whether a call was counted for an order: $1 order, $2 node, $3 linked id.
SELECT linked_id FROM recording_claims WHERE order_id = $1 AND node = $2 AND linked_id = $3
