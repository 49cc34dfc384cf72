-- Ends what has no more to record: $1 and $2 the time, $3 the time after which calls that were counted may still go on.
UPDATE recording_orders SET ended_at = $1
WHERE ended_at IS NULL
    AND (ends_at < $2
        OR calls_left = 0 AND NOT EXISTS (SELECT 1 FROM recording_claims c WHERE c.order_id = recording_orders.id AND c.claimed_at > $3))
