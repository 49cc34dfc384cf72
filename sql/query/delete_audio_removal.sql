-- $1 audio.
DELETE FROM mailbox_audio_removals WHERE id = $1
