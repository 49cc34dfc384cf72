-- A part of an intercepted call: $1 warrant, $2 call, $3 part.
SELECT content, signalling FROM interceptions WHERE warrant_id = $1 AND id = $2 AND part = $3
