-- $1 account.
DELETE FROM schedules WHERE account_id = $1
