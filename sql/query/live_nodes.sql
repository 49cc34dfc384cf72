-- The nodes that live.
SELECT node FROM live_nodes_now ORDER BY node
