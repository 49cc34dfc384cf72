-- The audio of a prompt: $1 prompt.
SELECT audio_id, place, recorded_at FROM prompt_recordings WHERE prompt_id = $1
