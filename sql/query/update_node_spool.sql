-- A spool ships under this name, still: $1 now, $2 node, $3 spool.
UPDATE node_spools SET seen_at = $1 WHERE node = $2 AND spool = $3
