-- Whether there is such a line.
SELECT id FROM phone_lines WHERE id = $1
