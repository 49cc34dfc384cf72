-- Tandem, live calls: the picture that the agents have of their nodes' calls, a second old. They alone write here, and replicas do not mirror it.

-- One leg of a call: makes, who calls; takes, who is called. A row that has ended has lost its ids, and is removed a little later.
CREATE TABLE live_calls (
    node         TEXT NOT NULL,
    uniqueid     TEXT NOT NULL,
    linked_id    TEXT NOT NULL,
    channel      TEXT NOT NULL,
    direction    TEXT NOT NULL CHECK (direction IN ('makes', 'takes')),
    line_id      TEXT,
    gateway_id   TEXT,
    account_id   TEXT,
    shown_number TEXT NOT NULL,
    dialled      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('rings', 'talks')),
    began_at     TEXT NOT NULL,
    answered_at  TEXT,
    ended        BOOLEAN NOT NULL,
    PRIMARY KEY (node, uniqueid)
);
CREATE INDEX live_calls_line ON live_calls (line_id, direction, node);
CREATE INDEX live_calls_account ON live_calls (account_id, direction, node);
CREATE INDEX live_calls_gateway ON live_calls (gateway_id, direction, node);

-- When a node's agent last said that it lives, by this database's clock.
CREATE TABLE live_nodes (
    node    TEXT NOT NULL PRIMARY KEY,
    seen_at TEXT NOT NULL
);

-- Nodes that live, and what counts: their calls.
CREATE VIEW live_nodes_now AS SELECT node, seen_at FROM live_nodes WHERE seen_at > datetime('now', '-15 seconds');
CREATE VIEW live_calls_now AS
SELECT
    c.node, c.uniqueid, c.linked_id, c.channel, c.direction, c.line_id, c.gateway_id, c.account_id, c.shown_number, c.dialled, c.state, c.began_at,
    c.answered_at
FROM live_calls c
JOIN live_nodes_now n ON n.node = c.node
WHERE NOT c.ended;

-- Who removes the calls of nodes that are gone.
INSERT INTO job_leases (job, node, until) VALUES ('live-calls', '', '2000-01-01 00:00:00');
