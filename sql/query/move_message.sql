-- Puts a message into a folder, unless it was moved later: $1 folder, $2 when, $3 message, $4 when.
UPDATE mailbox_messages SET folder = $1, changed_at = $2 WHERE id = $3 AND changed_at <= $4
