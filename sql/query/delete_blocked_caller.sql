-- $1 line, $2 number.
DELETE FROM blocked_callers WHERE line_id = $1 AND number = $2
