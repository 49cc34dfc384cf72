-- An owner's new password: $1 hash, $2 mailbox.
UPDATE mailboxes SET password_hash = $1 WHERE id = $2
