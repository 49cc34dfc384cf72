-- The number of the next version of any deck.
SELECT COALESCE(MAX(id), 0) + 1 FROM deck_versions
