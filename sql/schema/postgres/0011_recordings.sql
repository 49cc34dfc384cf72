-- Tandem, recordings of calls: who ordered them, and what was recorded.
-- Ids of orders and recordings are UUIDs of version 7. The audio of a recording has its id, and is where that of mailboxes is (mailbox_audio, or elsewhere).

-- What an account wants its people to hear of being recorded: nothing, beeps (every recording_beep_seconds, 0 for one at the start alone), or an
-- announcement before both sides talk. Recordings are kept for recording_days, 0 for ever.
ALTER TABLE accounts ADD COLUMN recording_notice VARCHAR(32) NOT NULL DEFAULT 'none' CHECK (recording_notice IN ('none', 'beep', 'announcement'));
ALTER TABLE accounts ADD COLUMN recording_beep_seconds INTEGER NOT NULL DEFAULT 15 CHECK (recording_beep_seconds >= 0);
ALTER TABLE accounts ADD COLUMN recording_days INTEGER NOT NULL DEFAULT 90 CHECK (recording_days >= 0);

-- The calls of a line, or of all lines of an account, are to be recorded: the next calls_left of them, or, without a number, all until it ends. What began
-- before the order is not recorded. form: stereo (left what the line says, right what it hears) or mixed.
CREATE TABLE recording_orders (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    line_id    VARCHAR(64),
    account_id VARCHAR(64),
    calls_left INTEGER CHECK (calls_left >= 0),
    form       VARCHAR(32) NOT NULL DEFAULT 'stereo' CHECK (form IN ('stereo', 'mixed')),
    ordered_by VARCHAR(255) NOT NULL,
    ordered_at TIMESTAMPTZ(3) NOT NULL,
    ends_at    TIMESTAMPTZ(3),
    ended_at   TIMESTAMPTZ(3),
    CHECK (CASE WHEN line_id IS NULL THEN 0 ELSE 1 END + CASE WHEN account_id IS NULL THEN 0 ELSE 1 END = 1),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

CREATE INDEX recording_orders_in_force ON recording_orders (ended_at);

-- Calls that were counted for an order which counts them, each once.
CREATE TABLE recording_claims (
    order_id   VARCHAR(64) NOT NULL,
    node       VARCHAR(64) NOT NULL,
    linked_id  VARCHAR(150) NOT NULL,
    claimed_at TIMESTAMPTZ(3) NOT NULL,
    PRIMARY KEY (order_id, node, linked_id),
    FOREIGN KEY (order_id) REFERENCES recording_orders (id)
);

CREATE INDEX recording_claims_by_age ON recording_claims (claimed_at);

-- A recording, or one part of a long one. line_number is the number that the line showed, other_number that of whom it talked with last. Rows refer to
-- nothing: they outlive what they are about.
CREATE TABLE recordings (
    id           VARCHAR(64) NOT NULL PRIMARY KEY,
    part         INTEGER NOT NULL,
    account_id   VARCHAR(64),
    line_id      VARCHAR(64),
    order_id     VARCHAR(64),
    ordered_by   VARCHAR(255) NOT NULL,
    node         VARCHAR(64) NOT NULL,
    uniqueid     VARCHAR(150) NOT NULL,
    linked_id    VARCHAR(150) NOT NULL,
    direction    VARCHAR(32) NOT NULL CHECK (direction IN ('outbound', 'inbound')),
    line_number  VARCHAR(255) NOT NULL DEFAULT '',
    other_number VARCHAR(255) NOT NULL DEFAULT '',
    started_at   TIMESTAMPTZ(3) NOT NULL,
    duration_ms  BIGINT NOT NULL,
    channels     INTEGER NOT NULL CHECK (channels IN (1, 2)),
    expires_at   TIMESTAMPTZ(3),
    place        VARCHAR(32) NOT NULL,
    format       VARCHAR(32) NOT NULL,
    bytes        BIGINT NOT NULL
);

CREATE INDEX recordings_of_line ON recordings (line_id, started_at);
CREATE INDEX recordings_of_account ON recordings (account_id, started_at);
CREATE INDEX recordings_by_time ON recordings (started_at);
CREATE INDEX recordings_of_call ON recordings (linked_id);
CREATE INDEX recordings_by_end ON recordings (expires_at);

INSERT INTO job_leases (job, node, until) VALUES ('recording-upkeep', '', '2000-01-01 00:00:00+00');
