-- Whether a line does not want a caller, by one of two numbers, or by the beginning of one: $1 line, $2 number, $3 number, $4 number, $5 number.
SELECT line_id FROM blocked_callers
WHERE
    line_id = $1
    AND (
        number = $2 OR number = $3
        OR number LIKE '%*' AND ($4 LIKE REPLACE(number, '*', '%') OR $5 LIKE REPLACE(number, '*', '%'))
    )
