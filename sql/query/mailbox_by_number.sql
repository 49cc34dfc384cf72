-- The mailbox that has a number in the account of a line: $1 number, $2 line.
SELECT m.id
FROM phone_lines l
JOIN mailboxes m ON m.account_id = l.account_id AND m.number = $1
WHERE l.id = $2
