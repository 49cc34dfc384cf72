-- $1 whether it is on, $2 line.
UPDATE line_features SET do_not_disturb = $1 WHERE line_id = $2
