-- Every line with what its emergency calls would say of it.
SELECT
    l.id AS line_id,
    COALESCE(e.callback_number, l.caller_number, a.caller_number) AS callback_number,
    e.line_id AS placed,
    e.validation,
    e.latitude,
    e.longitude,
    e.state,
    e.street,
    e.placed_at
FROM phone_lines l
JOIN accounts a ON a.id = l.account_id
LEFT JOIN emergency_locations e ON e.line_id = l.id AND e.device = ''
WHERE l.status <> 'closed'
ORDER BY l.id
