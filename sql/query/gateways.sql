-- Every gateway, for listing those that offered nothing.
SELECT
    id AS gateway_id,
    deck_id,
    status AS gateway_status,
    endpoint,
    number_format,
    country AS gateway_country,
    dial_prefix,
    max_calls AS gateway_max_calls,
    priority,
    weight,
    ring_seconds AS gateway_ring_seconds,
    next_on_forbidden
FROM gateways
ORDER BY id
