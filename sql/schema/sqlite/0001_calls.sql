-- Tandem, the central data: accounts and their lines and numbers, gateways, prices.
-- Money is an integer count of micros: millionths of a unit of the currency that the row, its deck or its
-- account names (0.012 USD = 12000). Times are UTC. Numbers and prefixes are digits of E.164 without "+".
-- Ids of accounts, lines, ring groups, gateways and decks are 1 to 64 of A-Z a-z 0-9 . _ -

-- What one unit of a currency is worth in the base currency, for comparing prices.
CREATE TABLE currencies (
    code         TEXT NOT NULL PRIMARY KEY,
    value_micros INTEGER NOT NULL CHECK (value_micros > 0)
);

-- A price list. Its rates live in versions, so that a new list replaces the old one in one step.
CREATE TABLE decks (
    id       TEXT NOT NULL PRIMARY KEY,
    name     TEXT NOT NULL,
    currency TEXT NOT NULL,
    FOREIGN KEY (currency) REFERENCES currencies (code)
);

-- In force at a time is the complete version of a deck with the greatest effective_at up to that time.
CREATE TABLE deck_versions (
    id           INTEGER NOT NULL PRIMARY KEY,
    deck_id      TEXT NOT NULL,
    effective_at TEXT NOT NULL,
    imported_at  TEXT NOT NULL,
    complete     BOOLEAN NOT NULL,
    FOREIGN KEY (deck_id) REFERENCES decks (id)
);

CREATE INDEX deck_versions_in_force ON deck_versions (deck_id, effective_at);

-- Prices per prefix. A row holds from its effective_at until before its expires_at; where several hold, the
-- latest. initial_seconds are charged at once on answer, then every begun increment_seconds (60/6).
CREATE TABLE rates (
    deck_version_id    INTEGER NOT NULL,
    prefix             TEXT NOT NULL,
    effective_at       TEXT NOT NULL,
    expires_at         TEXT,
    destination        TEXT NOT NULL,
    per_minute_micros  INTEGER NOT NULL CHECK (per_minute_micros >= 0),
    connect_fee_micros INTEGER NOT NULL DEFAULT 0 CHECK (connect_fee_micros >= 0),
    initial_seconds    INTEGER NOT NULL DEFAULT 1 CHECK (initial_seconds >= 0),
    increment_seconds  INTEGER NOT NULL DEFAULT 1 CHECK (increment_seconds > 0),
    blocked            BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (deck_version_id, prefix, effective_at),
    FOREIGN KEY (deck_version_id) REFERENCES deck_versions (id)
) WITHOUT ROWID;

-- 1 to 15: joins a number to its prefixes, so that each is one lookup by key.
CREATE TABLE prefix_lengths (
    length INTEGER NOT NULL PRIMARY KEY CHECK (length BETWEEN 1 AND 15)
);

-- A customer. sell_deck_id is what calls are sold at; without one they have no price.
CREATE TABLE accounts (
    id                     TEXT NOT NULL PRIMARY KEY,
    name                   TEXT NOT NULL,
    status                 TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
    currency               TEXT NOT NULL,
    caller_number          TEXT,
    max_calls              INTEGER NOT NULL DEFAULT 0 CHECK (max_calls >= 0),
    sell_deck_id           TEXT,
    allow_loss             BOOLEAN NOT NULL DEFAULT FALSE,
    max_per_minute_micros  INTEGER CHECK (max_per_minute_micros >= 0),
    max_connect_fee_micros INTEGER CHECK (max_connect_fee_micros >= 0),
    created_at             TEXT NOT NULL,
    FOREIGN KEY (currency) REFERENCES currencies (code),
    FOREIGN KEY (sell_deck_id) REFERENCES decks (id)
);

-- A phone ("lines" is a reserved word of MySQL). max_calls is per node, 0 for no limit.
CREATE TABLE phone_lines (
    id             TEXT NOT NULL PRIMARY KEY,
    account_id     TEXT NOT NULL,
    name           TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
    country        TEXT NOT NULL,
    area_code      TEXT NOT NULL DEFAULT '',
    outside_prefix TEXT NOT NULL DEFAULT '',
    caller_number  TEXT,
    privacy        BOOLEAN NOT NULL DEFAULT FALSE,
    max_calls      INTEGER NOT NULL DEFAULT 0 CHECK (max_calls >= 0),
    ring_seconds   INTEGER NOT NULL DEFAULT 30 CHECK (ring_seconds > 0),
    created_at     TEXT NOT NULL,
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- Lines that ring together, or in order of position.
CREATE TABLE ring_groups (
    id           TEXT NOT NULL PRIMARY KEY,
    account_id   TEXT NOT NULL,
    name         TEXT NOT NULL,
    strategy     TEXT NOT NULL CHECK (strategy IN ('together', 'in_order')),
    ring_seconds INTEGER NOT NULL DEFAULT 30 CHECK (ring_seconds > 0),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

CREATE TABLE ring_group_members (
    ring_group_id TEXT NOT NULL,
    position      INTEGER NOT NULL,
    line_id       TEXT NOT NULL,
    PRIMARY KEY (ring_group_id, position),
    FOREIGN KEY (ring_group_id) REFERENCES ring_groups (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
);

-- Numbers of ours, and where calls to them go; to nowhere while neither is set.
CREATE TABLE numbers (
    number        TEXT NOT NULL PRIMARY KEY,
    account_id    TEXT NOT NULL,
    line_id       TEXT,
    ring_group_id TEXT,
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id),
    FOREIGN KEY (ring_group_id) REFERENCES ring_groups (id),
    CHECK (line_id IS NULL OR ring_group_id IS NULL)
);

-- Short numbers within an account.
CREATE TABLE extensions (
    account_id    TEXT NOT NULL,
    extension     TEXT NOT NULL,
    line_id       TEXT,
    ring_group_id TEXT,
    PRIMARY KEY (account_id, extension),
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id),
    FOREIGN KEY (ring_group_id) REFERENCES ring_groups (id),
    CHECK ((line_id IS NULL) <> (ring_group_id IS NULL))
);

-- Kinds of numbers that may be allowed or forbidden.
CREATE TABLE classes (
    name               TEXT NOT NULL PRIMARY KEY,
    description        TEXT NOT NULL,
    allowed_by_default BOOLEAN NOT NULL
);

-- Prefixes whose class is not what the numbering plan says; the longest that fits wins.
CREATE TABLE class_prefixes (
    prefix     TEXT NOT NULL PRIMARY KEY,
    class_name TEXT NOT NULL,
    FOREIGN KEY (class_name) REFERENCES classes (name)
);

-- What an account may call, where that is not the class's default.
CREATE TABLE account_permissions (
    account_id TEXT NOT NULL,
    class_name TEXT NOT NULL,
    allowed    BOOLEAN NOT NULL,
    PRIMARY KEY (account_id, class_name),
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (class_name) REFERENCES classes (name)
);

-- What a line may call, where that is not its account's rule.
CREATE TABLE line_permissions (
    line_id    TEXT NOT NULL,
    class_name TEXT NOT NULL,
    allowed    BOOLEAN NOT NULL,
    PRIMARY KEY (line_id, class_name),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id),
    FOREIGN KEY (class_name) REFERENCES classes (name)
);

-- Carriers' trunks. deck_id is what calls cost there; without one it carries none. Lower priority goes
-- first among equal costs, weight shares calls among equals. max_calls is per node, 0 for no limit.
CREATE TABLE gateways (
    id                TEXT NOT NULL PRIMARY KEY,
    name              TEXT NOT NULL,
    status            TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
    endpoint          TEXT NOT NULL,
    deck_id           TEXT,
    number_format     TEXT NOT NULL CHECK (number_format IN ('e164', 'plus_e164', 'national')),
    country           TEXT NOT NULL,
    dial_prefix       TEXT NOT NULL DEFAULT '',
    max_calls         INTEGER NOT NULL DEFAULT 0 CHECK (max_calls >= 0),
    priority          INTEGER NOT NULL DEFAULT 0,
    weight            INTEGER NOT NULL DEFAULT 1 CHECK (weight >= 0),
    ring_seconds      INTEGER NOT NULL DEFAULT 60 CHECK (ring_seconds > 0),
    next_on_forbidden BOOLEAN NOT NULL DEFAULT FALSE,
    created_at        TEXT NOT NULL,
    FOREIGN KEY (deck_id) REFERENCES decks (id)
);

CREATE INDEX gateways_deck ON gateways (deck_id);

-- Destinations that nobody may call, or (with an account) that account may not.
CREATE TABLE blocked_prefixes (
    prefix     TEXT NOT NULL,
    account_id TEXT,
    reason     TEXT NOT NULL,
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

CREATE INDEX blocked_prefixes_prefix ON blocked_prefixes (prefix);

INSERT INTO currencies (code, value_micros) VALUES ('USD', 1000000);

INSERT INTO prefix_lengths (length)
VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);

INSERT INTO classes (name, description, allowed_by_default)
VALUES
    ('internal', 'Extensions and numbers of the own account', TRUE),
    ('local', 'Numbers in the own area', TRUE),
    ('national', 'Numbers in the own country', TRUE),
    ('mobile', 'Mobile phones', TRUE),
    ('international', 'Other countries', FALSE),
    ('premium', 'Premium rate and shared cost', FALSE);
