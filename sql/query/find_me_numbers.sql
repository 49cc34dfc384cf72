-- Where else somebody is looked for, in order: $1 line.
SELECT number, ring_seconds FROM find_me_numbers WHERE line_id = $1 ORDER BY position
