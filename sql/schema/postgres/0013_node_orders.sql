-- Tandem, orders to nodes: what persons ask of a node whose agent is not the one that they ask. They alone write here, and replicas do not mirror it.

-- The node's agent takes an order once: taken_by is the id of the try that was first. body and outcome are JSON. Who asked takes the order back in the same
-- way when nobody took it in time.
CREATE TABLE node_orders (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    node       VARCHAR(64) NOT NULL,
    kind       VARCHAR(64) NOT NULL,
    body       TEXT NOT NULL,
    ordered_by VARCHAR(255) NOT NULL,
    ordered_at TIMESTAMPTZ(3) NOT NULL,
    expires_at TIMESTAMPTZ(3) NOT NULL,
    taken_at   TIMESTAMPTZ(3),
    taken_by   VARCHAR(64),
    outcome    TEXT
);

CREATE INDEX node_orders_waiting ON node_orders (node, taken_at, expires_at);
CREATE INDEX node_orders_by_age ON node_orders (expires_at);
