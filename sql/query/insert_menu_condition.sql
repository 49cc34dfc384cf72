-- What decides before a menu's greeting.
INSERT INTO menu_conditions (menu_id, position, schedule_id, during, action, target) VALUES ($1, $2, $3, $4, $5, $6)
