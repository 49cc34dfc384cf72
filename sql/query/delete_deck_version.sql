-- Removes a version that has no rates any more: $1 number.
DELETE FROM deck_versions WHERE id = $1
