-- The currency of a deck: $1 deck.
SELECT currency FROM decks WHERE id = $1
