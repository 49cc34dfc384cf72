-- A spool ships under this name from now on: $1 node, $2 spool, $3 now.
INSERT INTO node_spools (node, spool, seen_at) VALUES ($1, $2, $3)
