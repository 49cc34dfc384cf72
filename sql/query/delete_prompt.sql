-- $1 prompt.
DELETE FROM prompts WHERE id = $1
