-- Audio that is to be removed where it is.
SELECT id, place FROM mailbox_audio_removals ORDER BY id LIMIT 500
