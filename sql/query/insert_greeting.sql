-- A greeting, as it is now.
INSERT INTO mailbox_greetings (mailbox_id, kind, audio_id, place, format, bytes, duration_ms, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
