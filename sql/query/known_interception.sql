-- Whether a part of an intercepted call is there: $1 call, $2 part.
SELECT part FROM interceptions WHERE id = $1 AND part = $2
