-- A rate of a deck's version. Written in rows of many.
INSERT INTO rates (
    deck_version_id, prefix, effective_at, expires_at, destination, per_minute_micros, connect_fee_micros,
    initial_seconds, increment_seconds, blocked
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
)
