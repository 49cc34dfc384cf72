-- A call that is counted for an order which counts, unless it was: $1 node, $2 linked id, $3 time, $4, $5 order, $6 node, $7 linked id.
INSERT INTO recording_claims (order_id, node, linked_id, claimed_at)
SELECT o.id, $1, $2, $3 FROM recording_orders o
WHERE o.id = $4 AND o.calls_left IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM recording_claims c WHERE c.order_id = $5 AND c.node = $6 AND c.linked_id = $7)
