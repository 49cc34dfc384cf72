-- A new deck: $1 id, $2 name, $3 currency.
INSERT INTO decks (id, name, currency) VALUES ($1, $2, $3)
