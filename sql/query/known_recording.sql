-- Whether there is a recording: $1 its id.
SELECT id FROM recordings WHERE id = $1
