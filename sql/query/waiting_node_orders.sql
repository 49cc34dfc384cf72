-- Orders that nobody has taken, the oldest first: $1 node, $2 now.
SELECT id, body, ordered_by FROM node_orders WHERE node = $1 AND taken_at IS NULL AND expires_at > $2 ORDER BY ordered_at
