-- Call records: every finished call and every attempt, exactly once. Nothing here refers to another table: a record is kept
-- whatever became of its account. Times are UTC; money is in micros of the currency beside it.

-- Whose clock the account's people look at: an IANA name, Europe/Berlin.
ALTER TABLE accounts ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';

-- A record as Asterisk wrote it (uniqueid of the calling channel), with what was decided. boot is the run of Asterisk that wrote it,
-- since sequence begins anew with each. direction is NULL in a record that tells of a part of a call only: Asterisk writes one
-- for every Dial, and the last has the decision. Losses are packets: in, of what we should have received; out, of what we sent.
CREATE TABLE call_records (
    node               TEXT NOT NULL,
    boot               TEXT NOT NULL,
    uniqueid           TEXT NOT NULL,
    sequence           INTEGER NOT NULL,
    linkedid           TEXT NOT NULL,
    started_at         TEXT NOT NULL,
    answered_at        TEXT,
    ended_at           TEXT NOT NULL,
    utc_offset_minutes INTEGER NOT NULL,
    duration_ms        INTEGER NOT NULL,
    talk_ms            INTEGER NOT NULL,
    clock_doubtful     BOOLEAN NOT NULL,
    disposition        TEXT NOT NULL,
    src                TEXT NOT NULL,
    dst                TEXT NOT NULL,
    context            TEXT NOT NULL,
    clid               TEXT NOT NULL,
    channel            TEXT NOT NULL,
    dstchannel         TEXT NOT NULL,
    lastapp            TEXT NOT NULL,
    lastdata           TEXT NOT NULL,
    direction          TEXT,
    line_id            TEXT,
    gateway_id         TEXT,
    account_id         TEXT,
    number             TEXT NOT NULL,
    class              TEXT NOT NULL,
    reason             TEXT NOT NULL,
    cause              INTEGER,
    emergency          BOOLEAN NOT NULL,
    codec              TEXT,
    packets_in         INTEGER,
    packets_out        INTEGER,
    lost_in            INTEGER,
    lost_out           INTEGER,
    jitter_in_us       INTEGER,
    jitter_out_us      INTEGER,
    round_trip_us      INTEGER,
    shipped_at         TEXT NOT NULL,
    PRIMARY KEY (node, boot, uniqueid, sequence)
);

CREATE INDEX call_records_started ON call_records (started_at);
CREATE INDEX call_records_account ON call_records (account_id, started_at);
CREATE INDEX call_records_linked ON call_records (linkedid);

-- One attempt of a call to reach a line, ring group or gateway (kind, name), and what it costs (buy) and is sold for (sell):
-- nothing unless it was answered. number counts through the life of the calling channel; leg_uniqueid is the called channel.
-- line_id, gateway_id and account_id tell who called.
CREATE TABLE call_attempts (
    node                    TEXT NOT NULL,
    boot                    TEXT NOT NULL,
    uniqueid                TEXT NOT NULL,
    number                  INTEGER NOT NULL,
    linkedid                TEXT NOT NULL,
    leg_uniqueid            TEXT,
    kind                    TEXT NOT NULL,
    name                    TEXT NOT NULL,
    status                  TEXT NOT NULL,
    cause                   INTEGER,
    sip_code                INTEGER,
    started_at              TEXT NOT NULL,
    post_dial_delay_ms      INTEGER,
    answered_at             TEXT,
    ended_at                TEXT NOT NULL,
    talk_ms                 INTEGER NOT NULL,
    clock_doubtful          BOOLEAN NOT NULL,
    line_id                 TEXT,
    gateway_id              TEXT,
    account_id              TEXT,
    called_number           TEXT NOT NULL,
    buy_deck_id             TEXT,
    buy_deck_version_id     INTEGER,
    buy_prefix              TEXT,
    buy_per_minute_micros   INTEGER,
    buy_connect_fee_micros  INTEGER,
    buy_initial_seconds     INTEGER,
    buy_increment_seconds   INTEGER,
    buy_currency            TEXT,
    buy_seconds             INTEGER,
    buy_micros              INTEGER,
    sell_deck_id            TEXT,
    sell_deck_version_id    INTEGER,
    sell_prefix             TEXT,
    sell_per_minute_micros  INTEGER,
    sell_connect_fee_micros INTEGER,
    sell_initial_seconds    INTEGER,
    sell_increment_seconds  INTEGER,
    sell_currency           TEXT,
    sell_seconds            INTEGER,
    sell_micros             INTEGER,
    codec                   TEXT,
    packets_in              INTEGER,
    packets_out             INTEGER,
    lost_in                 INTEGER,
    lost_out                INTEGER,
    jitter_in_us            INTEGER,
    jitter_out_us           INTEGER,
    round_trip_us           INTEGER,
    shipped_at              TEXT NOT NULL,
    PRIMARY KEY (node, boot, uniqueid, number)
);

CREATE INDEX call_attempts_started ON call_attempts (started_at);
CREATE INDEX call_attempts_name ON call_attempts (name, started_at);
CREATE INDEX call_attempts_linked ON call_attempts (linkedid);

-- Which spools ship records under the name of a node. Two at a time are two nodes of one name.
CREATE TABLE node_spools (
    node    TEXT NOT NULL,
    spool   TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    PRIMARY KEY (node, spool)
);

-- Calls for people: local times, names, prices. One row a call.
CREATE VIEW calls AS
SELECT
    strftime('%Y-%m-%d %H:%M:%f', r.started_at, r.utc_offset_minutes || ' minutes') AS started_local,
    r.direction,
    r.account_id,
    ac.name AS account,
    r.line_id,
    l.name AS line,
    r.gateway_id,
    g.name AS gateway,
    r.src AS from_number,
    r.dst AS dialled,
    r.number,
    r.class,
    (
        SELECT MIN(rt.destination)
        FROM rates rt
        WHERE rt.deck_version_id = a.sell_deck_version_id AND rt.prefix = a.sell_prefix
    ) AS destination,
    r.disposition,
    r.reason,
    r.cause,
    r.talk_ms / 1000.0 AS talk_seconds,
    (
        SELECT COUNT(*)
        FROM call_attempts n
        WHERE n.node = r.node AND n.boot = r.boot AND n.uniqueid = r.uniqueid
    ) AS attempts,
    CASE WHEN a.answered_at IS NOT NULL THEN a.name END AS carried_by,
    a.sip_code,
    (
        SELECT SUM(m.sell_micros)
        FROM call_attempts m
        WHERE m.node = r.node AND m.boot = r.boot AND m.uniqueid = r.uniqueid
    ) / 1000000.0 AS price,
    a.sell_currency AS price_currency,
    (
        SELECT SUM(m.buy_micros)
        FROM call_attempts m
        WHERE m.node = r.node AND m.boot = r.boot AND m.uniqueid = r.uniqueid
    ) / 1000000.0 AS cost,
    a.buy_currency AS cost_currency,
    r.emergency,
    r.started_at,
    r.ended_at,
    r.node,
    r.boot,
    r.uniqueid,
    -- A call to consult somebody before a transfer has the id of its own when it ends; its leg goes on with that of the whole.
    COALESCE(a.linkedid, r.linkedid) AS linkedid
FROM call_records r
-- The last attempt: that which carried the call, if one did.
LEFT JOIN call_attempts a
    ON a.node = r.node
    AND a.boot = r.boot
    AND a.uniqueid = r.uniqueid
    AND a.number = (
        SELECT MAX(o.number)
        FROM call_attempts o
        WHERE o.node = r.node AND o.boot = r.boot AND o.uniqueid = r.uniqueid
    )
LEFT JOIN accounts ac ON ac.id = r.account_id
LEFT JOIN phone_lines l ON l.id = r.line_id
LEFT JOIN gateways g ON g.id = r.gateway_id
WHERE r.direction IS NOT NULL;
