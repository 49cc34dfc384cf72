-- Removes changes with numbers up to $1 from before $2.
DELETE FROM data_changes WHERE id <= $1 AND changed_at < $2
