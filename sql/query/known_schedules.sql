-- Schedules, and whose they are.
SELECT id, account_id FROM schedules
