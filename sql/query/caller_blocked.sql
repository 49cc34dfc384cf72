-- Whether a line does not want a caller, by one of two numbers: $1 line, $2 number, $3 number.
SELECT line_id FROM blocked_callers WHERE line_id = $1 AND (number = $2 OR number = $3)
