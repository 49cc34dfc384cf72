-- An order.
INSERT INTO recording_orders (id, line_id, account_id, calls_left, form, ordered_by, ordered_at, ends_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
