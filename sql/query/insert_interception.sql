-- A part of an intercepted call.
INSERT INTO interceptions (id, part, warrant_id, at, bytes, content, signalling) VALUES ($1, $2, $3, $4, $5, $6, $7)
