-- A new version of a deck: $1 number, $2 deck, $3 effective at, $4 imported at, $5 complete.
INSERT INTO deck_versions (id, deck_id, effective_at, imported_at, complete) VALUES ($1, $2, $3, $4, $5)
