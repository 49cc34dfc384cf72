-- Where keys lead.
INSERT INTO menu_options (menu_id, digits, action, target) VALUES ($1, $2, $3, $4)
