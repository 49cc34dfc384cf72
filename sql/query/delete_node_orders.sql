-- Forgets orders of long ago: $1 before when they had expired.
DELETE FROM node_orders WHERE expires_at < $1
