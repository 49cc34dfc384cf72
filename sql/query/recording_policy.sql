-- How a line's calls are recorded by its account: $1 line.
SELECT a.id AS account_id, a.recording_notice, a.recording_beep_seconds, a.recording_days
FROM phone_lines l
JOIN accounts a ON a.id = l.account_id
WHERE l.id = $1
