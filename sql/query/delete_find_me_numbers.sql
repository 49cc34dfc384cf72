-- $1 line.
DELETE FROM find_me_numbers WHERE line_id = $1
