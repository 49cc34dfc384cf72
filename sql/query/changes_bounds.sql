-- The least and the greatest number of a change; 0 where there are none.
SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM data_changes
