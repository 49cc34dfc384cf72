-- The prefix that so many others of its version stand before: $1 number, $2 how many.
SELECT prefix FROM rates WHERE deck_version_id = $1 ORDER BY prefix LIMIT 1 OFFSET $2
