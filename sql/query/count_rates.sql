-- How many rates a version has: $1 number.
SELECT COUNT(*) FROM rates WHERE deck_version_id = $1
