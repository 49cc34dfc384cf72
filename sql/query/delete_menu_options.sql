-- Those of an account's menus: $1 account.
DELETE FROM menu_options WHERE menu_id IN (SELECT id FROM menus WHERE account_id = $1)
