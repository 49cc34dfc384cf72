-- The legs of nodes that are gone.
DELETE FROM live_calls WHERE node NOT IN (SELECT node FROM live_nodes_now)
