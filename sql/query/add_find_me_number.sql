-- After those that there are: $1 line, $2 number, $3 line.
INSERT INTO find_me_numbers (line_id, position, number)
SELECT $1, COALESCE(MAX(n.position), 0) + 1, $2 FROM find_me_numbers n WHERE n.line_id = $3
