-- Tandem, the central data: accounts and their lines and numbers, gateways, prices.
-- Money is an integer count of micros: millionths of a unit of the currency that the row, its deck or its
-- account names (0.012 USD = 12000). Times are UTC. Numbers and prefixes are digits of E.164 without "+".
-- Ids of accounts, lines, ring groups, gateways and decks are 1 to 64 of A-Z a-z 0-9 . _ -

-- What one unit of a currency is worth in the base currency, for comparing prices.
CREATE TABLE currencies (
    code         CHAR(3) NOT NULL PRIMARY KEY,
    value_micros BIGINT NOT NULL CHECK (value_micros > 0)
);

-- A price list. Its rates live in versions, so that a new list replaces the old one in one step.
CREATE TABLE decks (
    id       VARCHAR(64) NOT NULL PRIMARY KEY,
    name     VARCHAR(100) NOT NULL,
    currency CHAR(3) NOT NULL,
    FOREIGN KEY (currency) REFERENCES currencies (code)
);

-- In force at a time is the complete version of a deck with the greatest effective_at up to that time.
CREATE TABLE deck_versions (
    id           BIGINT NOT NULL PRIMARY KEY,
    deck_id      VARCHAR(64) NOT NULL,
    effective_at TIMESTAMPTZ(0) NOT NULL,
    imported_at  TIMESTAMPTZ(0) NOT NULL,
    complete     BOOLEAN NOT NULL,
    FOREIGN KEY (deck_id) REFERENCES decks (id)
);

CREATE INDEX deck_versions_in_force ON deck_versions (deck_id, effective_at);

-- Prices per prefix. A row holds from its effective_at until before its expires_at; where several hold, the
-- latest. initial_seconds are charged at once on answer, then every begun increment_seconds (60/6).
CREATE TABLE rates (
    deck_version_id    BIGINT NOT NULL,
    prefix             VARCHAR(15) NOT NULL,
    effective_at       TIMESTAMPTZ(0) NOT NULL,
    expires_at         TIMESTAMPTZ(0),
    destination        VARCHAR(100) NOT NULL,
    per_minute_micros  BIGINT NOT NULL CHECK (per_minute_micros >= 0),
    connect_fee_micros BIGINT NOT NULL DEFAULT 0 CHECK (connect_fee_micros >= 0),
    initial_seconds    INTEGER NOT NULL DEFAULT 1 CHECK (initial_seconds >= 0),
    increment_seconds  INTEGER NOT NULL DEFAULT 1 CHECK (increment_seconds > 0),
    blocked            BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (deck_version_id, prefix, effective_at),
    FOREIGN KEY (deck_version_id) REFERENCES deck_versions (id)
);

-- 1 to 15: joins a number to its prefixes, so that each is one lookup by key.
CREATE TABLE prefix_lengths (
    length INTEGER NOT NULL PRIMARY KEY CHECK (length BETWEEN 1 AND 15)
);

-- A customer. sell_deck_id is what calls are sold at; without one they have no price.
CREATE TABLE accounts (
    id                     VARCHAR(64) NOT NULL PRIMARY KEY,
    name                   VARCHAR(100) NOT NULL,
    status                 VARCHAR(32) NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
    currency               CHAR(3) NOT NULL,
    caller_number          VARCHAR(32),
    max_calls              INTEGER NOT NULL DEFAULT 0 CHECK (max_calls >= 0),
    sell_deck_id           VARCHAR(64),
    allow_loss             BOOLEAN NOT NULL DEFAULT FALSE,
    max_per_minute_micros  BIGINT CHECK (max_per_minute_micros >= 0),
    max_connect_fee_micros BIGINT CHECK (max_connect_fee_micros >= 0),
    created_at             TIMESTAMPTZ(0) NOT NULL,
    FOREIGN KEY (currency) REFERENCES currencies (code),
    FOREIGN KEY (sell_deck_id) REFERENCES decks (id)
);

-- A phone ("lines" is a reserved word of MySQL). max_calls is per node, 0 for no limit.
CREATE TABLE phone_lines (
    id             VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id     VARCHAR(64) NOT NULL,
    name           VARCHAR(100) NOT NULL,
    status         VARCHAR(32) NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
    country        CHAR(2) NOT NULL,
    area_code      VARCHAR(32) NOT NULL DEFAULT '',
    outside_prefix VARCHAR(32) NOT NULL DEFAULT '',
    caller_number  VARCHAR(32),
    privacy        BOOLEAN NOT NULL DEFAULT FALSE,
    max_calls      INTEGER NOT NULL DEFAULT 0 CHECK (max_calls >= 0),
    ring_seconds   INTEGER NOT NULL DEFAULT 30 CHECK (ring_seconds > 0),
    created_at     TIMESTAMPTZ(0) NOT NULL,
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- Lines that ring together, or in order of position.
CREATE TABLE ring_groups (
    id           VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id   VARCHAR(64) NOT NULL,
    name         VARCHAR(100) NOT NULL,
    strategy     VARCHAR(32) NOT NULL CHECK (strategy IN ('together', 'in_order')),
    ring_seconds INTEGER NOT NULL DEFAULT 30 CHECK (ring_seconds > 0),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

CREATE TABLE ring_group_members (
    ring_group_id VARCHAR(64) NOT NULL,
    position      INTEGER NOT NULL,
    line_id       VARCHAR(64) NOT NULL,
    PRIMARY KEY (ring_group_id, position),
    FOREIGN KEY (ring_group_id) REFERENCES ring_groups (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
);

-- Numbers of ours, and where calls to them go; to nowhere while neither is set.
CREATE TABLE numbers (
    number        VARCHAR(32) NOT NULL PRIMARY KEY,
    account_id    VARCHAR(64) NOT NULL,
    line_id       VARCHAR(64),
    ring_group_id VARCHAR(64),
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id),
    FOREIGN KEY (ring_group_id) REFERENCES ring_groups (id),
    CHECK (line_id IS NULL OR ring_group_id IS NULL)
);

-- Short numbers within an account.
CREATE TABLE extensions (
    account_id    VARCHAR(64) NOT NULL,
    extension     VARCHAR(32) NOT NULL,
    line_id       VARCHAR(64),
    ring_group_id VARCHAR(64),
    PRIMARY KEY (account_id, extension),
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id),
    FOREIGN KEY (ring_group_id) REFERENCES ring_groups (id),
    CHECK ((line_id IS NULL) <> (ring_group_id IS NULL))
);

-- Kinds of numbers that may be allowed or forbidden.
CREATE TABLE classes (
    name               VARCHAR(32) NOT NULL PRIMARY KEY,
    description        VARCHAR(100) NOT NULL,
    allowed_by_default BOOLEAN NOT NULL
);

-- Prefixes whose class is not what the numbering plan says; the longest that fits wins.
CREATE TABLE class_prefixes (
    prefix     VARCHAR(15) NOT NULL PRIMARY KEY,
    class_name VARCHAR(32) NOT NULL,
    FOREIGN KEY (class_name) REFERENCES classes (name)
);

-- What an account may call, where that is not the class's default.
CREATE TABLE account_permissions (
    account_id VARCHAR(64) NOT NULL,
    class_name VARCHAR(32) NOT NULL,
    allowed    BOOLEAN NOT NULL,
    PRIMARY KEY (account_id, class_name),
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (class_name) REFERENCES classes (name)
);

-- What a line may call, where that is not its account's rule.
CREATE TABLE line_permissions (
    line_id    VARCHAR(64) NOT NULL,
    class_name VARCHAR(32) NOT NULL,
    allowed    BOOLEAN NOT NULL,
    PRIMARY KEY (line_id, class_name),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id),
    FOREIGN KEY (class_name) REFERENCES classes (name)
);

-- Carriers' trunks. deck_id is what calls cost there; without one it carries none. Lower priority goes
-- first among equal costs, weight shares calls among equals. max_calls is per node, 0 for no limit.
CREATE TABLE gateways (
    id                VARCHAR(64) NOT NULL PRIMARY KEY,
    name              VARCHAR(100) NOT NULL,
    status            VARCHAR(32) NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
    endpoint          VARCHAR(64) NOT NULL,
    deck_id           VARCHAR(64),
    number_format     VARCHAR(32) NOT NULL CHECK (number_format IN ('e164', 'plus_e164', 'national')),
    country           CHAR(2) NOT NULL,
    dial_prefix       VARCHAR(32) NOT NULL DEFAULT '',
    max_calls         INTEGER NOT NULL DEFAULT 0 CHECK (max_calls >= 0),
    priority          INTEGER NOT NULL DEFAULT 0,
    weight            INTEGER NOT NULL DEFAULT 1 CHECK (weight >= 0),
    ring_seconds      INTEGER NOT NULL DEFAULT 60 CHECK (ring_seconds > 0),
    next_on_forbidden BOOLEAN NOT NULL DEFAULT FALSE,
    created_at        TIMESTAMPTZ(0) NOT NULL,
    FOREIGN KEY (deck_id) REFERENCES decks (id)
);

CREATE INDEX gateways_deck ON gateways (deck_id);

-- Destinations that nobody may call, or (with an account) that account may not.
CREATE TABLE blocked_prefixes (
    prefix     VARCHAR(15) NOT NULL,
    account_id VARCHAR(64),
    reason     VARCHAR(100) NOT NULL,
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

-- Small tables are never analysed by themselves, and are taken for large ones until then.
ANALYZE currencies, prefix_lengths, classes;
