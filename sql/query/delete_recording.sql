-- A recording: $1 its id.
DELETE FROM recordings WHERE id = $1
