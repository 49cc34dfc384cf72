-- Numbers and extensions of an account that lead to a menu: $1, $2 account.
SELECT number AS entrance, menu_id FROM numbers WHERE account_id = $1 AND menu_id IS NOT NULL
UNION ALL
SELECT extension AS entrance, menu_id FROM extensions WHERE account_id = $2 AND menu_id IS NOT NULL
ORDER BY entrance
