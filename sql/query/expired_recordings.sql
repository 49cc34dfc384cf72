-- Recordings that were kept long enough: $1 the time.
SELECT id, place FROM recordings WHERE expires_at < $1 ORDER BY expires_at LIMIT 500
