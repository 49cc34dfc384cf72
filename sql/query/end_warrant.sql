UPDATE warrants SET ended_by = $1, ended_at = $2 WHERE id = $3
