-- What imports that never finished left behind: $1 deck, $2 time before which those of other decks count.
SELECT id FROM deck_versions WHERE NOT complete AND (deck_id = $1 OR imported_at < $2)
