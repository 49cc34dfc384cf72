-- Emergency calls since a time, whose callback numbers are protected: $1 time.
SELECT callback_number, line_id, COALESCE(account_id, '') AS account_id, called_at
FROM emergency_calls
WHERE called_at >= $1 AND line_id IS NOT NULL AND callback_number <> ''
ORDER BY called_at
