-- A line that did nothing of it until now: $1 line, $2 line.
INSERT INTO line_features (line_id)
SELECT l.id FROM phone_lines l
WHERE l.id = $1 AND NOT EXISTS (SELECT 1 FROM line_features f WHERE f.line_id = $2)
