-- Whether a line may use what a class stands for: $1 class, $2 line.
SELECT COALESCE(lp.allowed, ap.allowed, c.allowed_by_default) AS allowed
FROM phone_lines l
JOIN classes c ON c.name = $1
LEFT JOIN line_permissions lp ON lp.class_name = c.name AND lp.line_id = l.id
LEFT JOIN account_permissions ap ON ap.class_name = c.name AND ap.account_id = l.account_id
WHERE l.id = $2
