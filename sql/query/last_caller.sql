-- Who called a line last: $1 line. Without a number, it was withheld.
SELECT shown_number, started_at FROM call_attempts
WHERE name = $1 AND kind IN ('line', 'find-me')
ORDER BY started_at DESC
LIMIT 1
