-- What was recorded for a prompt, if there still is one: $7 prompt.
INSERT INTO prompt_recordings (prompt_id, audio_id, place, format, bytes, duration_ms, recorded_at)
SELECT p.id, $1, $2, $3, $4, $5, $6 FROM prompts p WHERE p.id = $7
