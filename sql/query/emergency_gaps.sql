-- Every line, and each of its devices that has a location, with what their emergency calls would say. A device's own callback number
-- may be the line's.
SELECT
    l.id AS line_id,
    COALESCE(e.callback_number, l.caller_number, a.caller_number) AS callback_number,
    e.device,
    e.validation,
    e.latitude,
    e.longitude,
    e.state,
    e.street,
    e.placed_at
FROM phone_lines l
JOIN accounts a ON a.id = l.account_id
LEFT JOIN emergency_locations e ON e.line_id = l.id
WHERE l.status <> 'closed'
ORDER BY l.id, e.device
