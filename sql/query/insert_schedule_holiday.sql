-- A holiday, and what is open on it.
INSERT INTO schedule_holidays (schedule_id, holiday, name, opens, closes) VALUES ($1, $2, $3, $4, $5)
