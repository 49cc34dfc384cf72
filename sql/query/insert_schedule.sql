-- The hours of an account.
INSERT INTO schedules (id, account_id, name, time_zone) VALUES ($1, $2, $3, $4)
