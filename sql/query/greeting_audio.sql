-- The audio of a greeting: $1 mailbox, $2 kind.
SELECT audio_id, place, recorded_at FROM mailbox_greetings WHERE mailbox_id = $1 AND kind = $2
