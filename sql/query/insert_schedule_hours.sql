-- Hours of a weekday.
INSERT INTO schedule_hours (schedule_id, weekday, opens, closes) VALUES ($1, $2, $3, $4)
