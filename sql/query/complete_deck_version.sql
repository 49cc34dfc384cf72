-- From now on the version counts: $1 number.
UPDATE deck_versions SET complete = TRUE WHERE id = $1
