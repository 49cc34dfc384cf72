-- The legs of a node that have ended: $1 node.
DELETE FROM live_calls WHERE node = $1 AND ended
