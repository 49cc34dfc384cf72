-- The gateway from which a call comes in: $1 gateway.
SELECT id AS gateway_id, status, country FROM gateways WHERE id = $1
