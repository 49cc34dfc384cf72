-- $1 off, in_order or together, $2 line.
UPDATE line_features SET find_me = $1 WHERE line_id = $2
