-- A part of audio that the database keeps.
INSERT INTO mailbox_audio (id, part, audio) VALUES ($1, $2, $3)
