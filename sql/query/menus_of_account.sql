-- The menus of an account: $1 account.
SELECT id FROM menus WHERE account_id = $1 ORDER BY id
