-- Forgets calls that were counted before $1.
DELETE FROM recording_claims WHERE claimed_at < $1
