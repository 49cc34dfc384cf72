-- What was recorded for a prompt, as it is now.
INSERT INTO prompt_recordings (prompt_id, audio_id, place, format, bytes, duration_ms, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
