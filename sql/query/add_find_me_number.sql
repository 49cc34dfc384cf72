-- After those that there are, unless it is one of them: $1 line, $2 number, $3 line, $4 number.
INSERT INTO find_me_numbers (line_id, position, number)
SELECT $1, COALESCE(MAX(n.position), 0) + 1, $2 FROM find_me_numbers n
WHERE n.line_id = $3
HAVING COUNT(CASE WHEN n.number = $4 THEN 1 END) = 0
