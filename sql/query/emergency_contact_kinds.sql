-- The ways in which anybody is told of emergency calls.
SELECT DISTINCT kind FROM emergency_contacts ORDER BY kind
