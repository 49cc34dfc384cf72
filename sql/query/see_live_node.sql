-- A node lives: $1 node.
UPDATE live_nodes SET seen_at = CURRENT_TIMESTAMP WHERE node = $1
