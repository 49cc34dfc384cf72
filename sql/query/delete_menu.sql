-- $1 menu.
DELETE FROM menus WHERE id = $1
