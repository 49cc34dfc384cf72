-- A prompt.
INSERT INTO prompts (id, account_id, number, name, sound, text) VALUES ($1, $2, $3, $4, $5, $6)
