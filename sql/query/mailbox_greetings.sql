-- What a mailbox says to callers: $1 mailbox.
SELECT kind, audio_id, place, format, bytes, duration_ms FROM mailbox_greetings WHERE mailbox_id = $1
