-- Every leg of a node: $1 node.
DELETE FROM live_calls WHERE node = $1
