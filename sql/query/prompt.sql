-- A prompt of an account, with what was recorded for it: $1 account, $2 prompt.
SELECT p.id AS prompt_id, p.number AS prompt_number, p.name AS prompt_name, p.sound, p.text, r.audio_id, r.place, r.format, r.bytes, r.duration_ms
FROM prompts p
LEFT JOIN prompt_recordings r ON r.prompt_id = p.id
WHERE p.account_id = $1 AND p.id = $2
