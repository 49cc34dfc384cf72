-- Lookups, and whose they are.
SELECT id, account_id FROM menu_lookups
