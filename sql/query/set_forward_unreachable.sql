-- $1 number, empty for none, $2 line.
UPDATE line_features SET forward_unreachable = $1 WHERE line_id = $2
