-- The other lines of a line's pickup group: $1 line. A group never reaches beyond its account.
SELECT o.id AS line_id
FROM phone_lines l
JOIN phone_lines o ON o.account_id = l.account_id AND o.pickup_group = l.pickup_group
WHERE l.id = $1 AND l.pickup_group <> '' AND o.id <> l.id
ORDER BY o.id
