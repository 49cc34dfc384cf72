-- The prompts of an account: $1 account.
SELECT p.id AS prompt_id, p.number AS prompt_number, p.name AS prompt_name, p.sound, p.text, r.audio_id, r.place, r.format, r.bytes, r.duration_ms
FROM prompts p
LEFT JOIN prompt_recordings r ON r.prompt_id = p.id
WHERE p.account_id = $1
ORDER BY p.id
