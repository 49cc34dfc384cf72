-- Decks that rows of an import file may refer to.
SELECT id, id AS account_id FROM decks
