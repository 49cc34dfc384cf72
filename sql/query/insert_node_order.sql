-- An order: $1 id, $2 node, $3 kind, $4 body, $5 who, $6 when, $7 until when, $8 when it was taken, $9 by which try.
INSERT INTO node_orders (id, node, kind, body, ordered_by, ordered_at, expires_at, taken_at, taken_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
