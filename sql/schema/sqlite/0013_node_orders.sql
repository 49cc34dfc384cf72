-- Tandem, orders to nodes: what persons ask of a node whose agent is not the one that they ask. They alone write here, and replicas do not mirror it.

-- The node's agent takes an order once: taken_by is the id of the try that was first. body and outcome are JSON. Who asked takes the order back in the same
-- way when nobody took it in time.
CREATE TABLE node_orders (
    id         TEXT NOT NULL PRIMARY KEY,
    node       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    body       TEXT NOT NULL,
    ordered_by TEXT NOT NULL,
    ordered_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    taken_at   TEXT,
    taken_by   TEXT,
    outcome    TEXT
);

CREATE INDEX node_orders_waiting ON node_orders (node, taken_at, expires_at);
CREATE INDEX node_orders_by_age ON node_orders (expires_at);
