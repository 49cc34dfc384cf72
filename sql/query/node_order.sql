-- How an order stands: $1 id.
SELECT node, kind, taken_by, outcome FROM node_orders WHERE id = $1
