-- A menu.
INSERT INTO menus (name, entry, language, direct_dial, timeout_seconds, between_ms, max_timeouts, max_invalid, operator, line_id, account_id, id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
