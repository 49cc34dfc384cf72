-- Who calls for help, and where: $1 device, $2 line. The device's own location comes first, then the line's.
SELECT
    l.id AS line_id,
    l.account_id,
    a.time_zone AS account_time_zone,
    l.country AS line_country,
    l.caller_number AS line_caller_number,
    a.caller_number AS account_caller_number,
    e.callback_number,
    e.device,
    e.country,
    e.state,
    e.county,
    e.city,
    e.postal_code,
    e.street,
    e.house_number,
    e.building,
    e.floor,
    e.room,
    e.latitude,
    e.longitude,
    e.source,
    e.placed_at,
    e.validation
FROM phone_lines l
JOIN accounts a ON a.id = l.account_id
LEFT JOIN emergency_locations e ON e.line_id = l.id AND (e.device = $1 OR e.device = '')
WHERE l.id = $2
ORDER BY e.device DESC
