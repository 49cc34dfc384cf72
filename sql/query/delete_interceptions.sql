-- All that was intercepted under a warrant.
DELETE FROM interceptions WHERE warrant_id = $1
