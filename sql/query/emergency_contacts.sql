-- Who is told of an emergency call of a line: $1 line.
SELECT c.kind, c.address
FROM phone_lines l
JOIN emergency_contacts c ON c.account_id = l.account_id
WHERE l.id = $1
ORDER BY c.kind, c.address
