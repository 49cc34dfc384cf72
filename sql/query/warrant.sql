SELECT id, warrant_number, line_id, starts_at, ends_at, recipient, requested_by, requested_at, approved_by, approved_at, ended_by, ended_at
FROM warrants
WHERE id = $1
