-- A node lives that never did: $1 node.
INSERT INTO live_nodes (node, seen_at) VALUES ($1, CURRENT_TIMESTAMP)
