-- $1 line, $2 slot.
DELETE FROM speed_dials WHERE line_id = $1 AND slot = $2
