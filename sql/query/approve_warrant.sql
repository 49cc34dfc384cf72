UPDATE warrants SET approved_by = $1, approved_at = $2 WHERE id = $3
