-- What changed after one of the changes, in the order of their numbers: $1 number.
SELECT id, table_name, key_1, key_2 FROM data_changes WHERE id > $1 ORDER BY id LIMIT 10000
