-- Who else ships under this name: $1 node, $2 own spool, $3 the time since which it counts.
SELECT spool FROM node_spools WHERE node = $1 AND spool <> $2 AND seen_at >= $3 ORDER BY spool
