-- A web server that is asked.
INSERT INTO menu_lookups (id, account_id, method, url, digits, seconds, action, target) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
