-- Removes the rates of a version up to a prefix: $1 number, $2 the first prefix that stays.
DELETE FROM rates WHERE deck_version_id = $1 AND prefix < $2
