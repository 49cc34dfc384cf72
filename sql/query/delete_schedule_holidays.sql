-- Those of an account's schedules: $1 account.
DELETE FROM schedule_holidays WHERE schedule_id IN (SELECT id FROM schedules WHERE account_id = $1)
