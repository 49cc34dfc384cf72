-- What is said in a menu.
INSERT INTO menu_prompts (menu_id, digits, position, prompt_id) VALUES ($1, $2, $3, $4)
