-- What was intercepted under a warrant, without what it holds: $1 warrant.
SELECT id, part, at, bytes FROM interceptions WHERE warrant_id = $1 ORDER BY id, part
