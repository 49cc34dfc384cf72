-- What a prompt is, but for what was recorded: $1 number, $2 name, $3 sound, $4 text, $5 prompt.
UPDATE prompts SET number = $1, name = $2, sound = $3, text = $4 WHERE id = $5
