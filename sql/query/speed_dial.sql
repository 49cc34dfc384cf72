-- The number of a slot: $1 line, $2 slot.
SELECT number FROM speed_dials WHERE line_id = $1 AND slot = $2
