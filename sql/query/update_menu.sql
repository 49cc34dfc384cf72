-- $12 menu of $11 account.
UPDATE menus SET name = $1, entry = $2, language = $3, direct_dial = $4, timeout_seconds = $5, between_ms = $6, max_timeouts = $7, max_invalid = $8,
    operator = $9, line_id = $10
WHERE account_id = $11 AND id = $12
