-- Tandem, operators: who may look in, what they did, and interceptions under warrant. None of it is mirrored to the nodes' replicas.

-- Somebody's right to ask the agents. The text is tandem_<id>_<secret>; of the secret only its SHA-256 is kept, in hexadecimal.
CREATE TABLE tokens (
    id          VARCHAR(64) NOT NULL PRIMARY KEY,
    person      VARCHAR(64) NOT NULL,
    role        VARCHAR(32) NOT NULL CHECK (role IN ('operator', 'supervisor', 'intercept', 'auditor')),
    secret_hash VARCHAR(64) NOT NULL,
    created_at  DATETIME NOT NULL,
    expires_at  DATETIME NOT NULL,
    revoked_at  DATETIME
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX tokens_role ON tokens (role, expires_at);

-- What was done, in one chain for the whole cluster: each hash covers its row and the hash before. Rows are never changed nor deleted;
-- `tandem audit verify` finds one that was. about is the id of the token or warrant, subject JSON.
CREATE TABLE audit_log (
    number        BIGINT NOT NULL PRIMARY KEY,
    at            DATETIME(3) NOT NULL,
    person        VARCHAR(100) NOT NULL,
    action        VARCHAR(32) NOT NULL,
    about         VARCHAR(64) NOT NULL,
    subject       TEXT NOT NULL,
    previous_hash VARCHAR(64) NOT NULL,
    hash          VARCHAR(64) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX audit_log_about ON audit_log (about, number);

-- Interceptions of lines (47 CFR 1.20003, 1.20004). A row is armed from starts_at to ends_at only if audit_log holds its request and its approval
-- by another person, with all that is in the row, and no end: written by hand it does nothing. recipient is the age key for what is intercepted.
CREATE TABLE warrants (
    id             VARCHAR(64) NOT NULL PRIMARY KEY,
    warrant_number VARCHAR(100) NOT NULL,
    line_id        VARCHAR(64) NOT NULL,
    starts_at      DATETIME NOT NULL,
    ends_at        DATETIME NOT NULL,
    recipient      VARCHAR(100) NOT NULL,
    requested_by   VARCHAR(64) NOT NULL,
    requested_at   DATETIME NOT NULL,
    approved_by    VARCHAR(64),
    approved_at    DATETIME,
    ended_by       VARCHAR(64),
    ended_at       DATETIME
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX warrants_ends ON warrants (ends_at);
