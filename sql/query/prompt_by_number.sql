-- A prompt of an account by the number that is keyed in to record it: $1 account, $2 number.
SELECT p.id AS prompt_id, p.number AS prompt_number, p.name AS prompt_name, p.sound, p.text, r.audio_id, r.place, r.format, r.bytes, r.duration_ms
FROM prompts p
LEFT JOIN prompt_recordings r ON r.prompt_id = p.id
WHERE p.account_id = $1 AND p.number = $2
