-- How many changes there are with numbers above $1, up to $2.
SELECT COUNT(*) FROM data_changes WHERE id > $1 AND id <= $2
