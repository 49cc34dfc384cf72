-- Call records: every finished call and every attempt, exactly once. Nothing here refers to another table: a record is kept
-- whatever became of its account. Times are UTC; money is in micros of the currency beside it.

-- Whose clock the account's people look at: an IANA name, Europe/Berlin.
ALTER TABLE accounts ADD COLUMN time_zone VARCHAR(64) NOT NULL DEFAULT 'UTC';

-- A record as Asterisk wrote it (uniqueid of the calling channel), with what was decided. boot is the run of Asterisk that wrote it,
-- since sequence begins anew with each. direction is NULL in a record that tells of a part of a call only: Asterisk writes one
-- for every Dial, and the last has the decision. Losses are packets: in, of what we should have received; out, of what we sent.
CREATE TABLE call_records (
    node               VARCHAR(64) NOT NULL,
    boot               VARCHAR(32) NOT NULL,
    uniqueid           VARCHAR(150) NOT NULL,
    sequence           BIGINT NOT NULL,
    linkedid           VARCHAR(150) NOT NULL,
    started_at         DATETIME(3) NOT NULL,
    answered_at        DATETIME(3),
    ended_at           DATETIME(3) NOT NULL,
    utc_offset_minutes INT NOT NULL,
    duration_ms        BIGINT NOT NULL,
    talk_ms            BIGINT NOT NULL,
    clock_doubtful     BOOLEAN NOT NULL,
    disposition        VARCHAR(32) NOT NULL,
    src                VARCHAR(100) NOT NULL,
    dst                VARCHAR(100) NOT NULL,
    context            VARCHAR(100) NOT NULL,
    clid               VARCHAR(255) NOT NULL,
    channel            VARCHAR(100) NOT NULL,
    dstchannel         VARCHAR(100) NOT NULL,
    lastapp            VARCHAR(100) NOT NULL,
    lastdata           VARCHAR(255) NOT NULL,
    direction          VARCHAR(32),
    line_id            VARCHAR(64),
    gateway_id         VARCHAR(64),
    account_id         VARCHAR(64),
    number             VARCHAR(100) NOT NULL,
    class              VARCHAR(32) NOT NULL,
    reason             VARCHAR(64) NOT NULL,
    cause              INT,
    emergency          BOOLEAN NOT NULL,
    codec              VARCHAR(32),
    packets_in         BIGINT,
    packets_out        BIGINT,
    lost_in            BIGINT,
    lost_out           BIGINT,
    jitter_in_us       BIGINT,
    jitter_out_us      BIGINT,
    round_trip_us      BIGINT,
    shipped_at         DATETIME NOT NULL,
    PRIMARY KEY (node, boot, uniqueid, sequence)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX call_records_started ON call_records (started_at);
CREATE INDEX call_records_account ON call_records (account_id, started_at);
CREATE INDEX call_records_linked ON call_records (linkedid);

-- One attempt of a call to reach a line, ring group or gateway (kind, name), and what it costs (buy) and is sold for (sell):
-- nothing unless it was answered. number counts through the life of the calling channel; leg_uniqueid is the called channel.
-- line_id, gateway_id and account_id tell who called.
CREATE TABLE call_attempts (
    node                    VARCHAR(64) NOT NULL,
    boot                    VARCHAR(32) NOT NULL,
    uniqueid                VARCHAR(150) NOT NULL,
    number                  BIGINT NOT NULL,
    linkedid                VARCHAR(150) NOT NULL,
    leg_uniqueid            VARCHAR(150),
    kind                    VARCHAR(32) NOT NULL,
    name                    VARCHAR(100) NOT NULL,
    status                  VARCHAR(32) NOT NULL,
    cause                   INT,
    sip_code                INT,
    started_at              DATETIME(3) NOT NULL,
    post_dial_delay_ms      BIGINT,
    answered_at             DATETIME(3),
    ended_at                DATETIME(3) NOT NULL,
    talk_ms                 BIGINT NOT NULL,
    clock_doubtful          BOOLEAN NOT NULL,
    line_id                 VARCHAR(64),
    gateway_id              VARCHAR(64),
    account_id              VARCHAR(64),
    called_number           VARCHAR(100) NOT NULL,
    buy_deck_id             VARCHAR(64),
    buy_deck_version_id     BIGINT,
    buy_prefix              VARCHAR(15),
    buy_per_minute_micros   BIGINT,
    buy_connect_fee_micros  BIGINT,
    buy_initial_seconds     INT,
    buy_increment_seconds   INT,
    buy_currency            CHAR(3),
    buy_seconds             BIGINT,
    buy_micros              BIGINT,
    sell_deck_id            VARCHAR(64),
    sell_deck_version_id    BIGINT,
    sell_prefix             VARCHAR(15),
    sell_per_minute_micros  BIGINT,
    sell_connect_fee_micros BIGINT,
    sell_initial_seconds    INT,
    sell_increment_seconds  INT,
    sell_currency           CHAR(3),
    sell_seconds            BIGINT,
    sell_micros             BIGINT,
    codec                   VARCHAR(32),
    packets_in              BIGINT,
    packets_out             BIGINT,
    lost_in                 BIGINT,
    lost_out                BIGINT,
    jitter_in_us            BIGINT,
    jitter_out_us           BIGINT,
    round_trip_us           BIGINT,
    shipped_at              DATETIME NOT NULL,
    PRIMARY KEY (node, boot, uniqueid, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX call_attempts_started ON call_attempts (started_at);
CREATE INDEX call_attempts_name ON call_attempts (name, started_at);
CREATE INDEX call_attempts_linked ON call_attempts (linkedid);

-- Which spools ship records under the name of a node. Two at a time are two nodes of one name.
CREATE TABLE node_spools (
    node    VARCHAR(64) NOT NULL,
    spool   VARCHAR(64) NOT NULL,
    seen_at DATETIME NOT NULL,
    PRIMARY KEY (node, spool)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Calls for people: local times, names, prices. One row a call.
CREATE VIEW calls AS
SELECT
    TIMESTAMPADD(MINUTE, r.utc_offset_minutes, r.started_at) AS started_local,
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
    CAST((
        SELECT SUM(m.sell_micros)
        FROM call_attempts m
        WHERE m.node = r.node AND m.boot = r.boot AND m.uniqueid = r.uniqueid
    ) / 1000000 AS DECIMAL(18, 6)) AS price,
    a.sell_currency AS price_currency,
    CAST((
        SELECT SUM(m.buy_micros)
        FROM call_attempts m
        WHERE m.node = r.node AND m.boot = r.boot AND m.uniqueid = r.uniqueid
    ) / 1000000 AS DECIMAL(18, 6)) AS cost,
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
