-- Audio of a message that is elsewhere, and is not on the list of what is removed yet: $1, $2 message.
INSERT INTO mailbox_audio_removals (id, place)
SELECT m.id, m.place FROM mailbox_messages m
WHERE m.id = $1 AND m.place <> 'database' AND NOT EXISTS (SELECT 1 FROM mailbox_audio_removals r WHERE r.id = $2)
