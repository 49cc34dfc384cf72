-- Audio elsewhere that nothing refers to: $1 its id, $2 place, $3 its id.
INSERT INTO mailbox_audio_removals (id, place)
SELECT $1, $2 FROM data_origin WHERE NOT EXISTS (SELECT 1 FROM mailbox_audio_removals r WHERE r.id = $3)
