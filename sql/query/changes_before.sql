-- The greatest number of a change from before a time: $1 time.
SELECT COALESCE(MAX(id), 0) FROM data_changes WHERE changed_at < $1
