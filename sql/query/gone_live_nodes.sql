-- Nodes that are gone, and have left live calls.
SELECT DISTINCT node FROM live_calls WHERE node NOT IN (SELECT node FROM live_nodes_now)
