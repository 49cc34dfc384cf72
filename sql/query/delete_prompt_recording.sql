-- $1 prompt.
DELETE FROM prompt_recordings WHERE prompt_id = $1
