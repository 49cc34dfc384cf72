-- Tandem, operators: who may look in, what they did, and interceptions under warrant. None of it is mirrored to the nodes' replicas.

-- Somebody's right to ask the agents. The text is tandem_<id>_<secret>; of the secret only its SHA-256 is kept, in hexadecimal.
CREATE TABLE tokens (
    id          TEXT NOT NULL PRIMARY KEY,
    person      TEXT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('operator', 'supervisor', 'intercept', 'auditor')),
    secret_hash TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    expires_at  TEXT NOT NULL,
    revoked_at  TEXT
);

CREATE INDEX tokens_role ON tokens (role, expires_at);

-- What was done, in one chain for the whole cluster: each hash covers its row and the hash before. Rows are never changed nor deleted;
-- `tandem audit verify` finds one that was. about is the id of the token or warrant, subject JSON.
CREATE TABLE audit_log (
    number        INTEGER NOT NULL PRIMARY KEY,
    at            TEXT NOT NULL,
    person        TEXT NOT NULL,
    action        TEXT NOT NULL,
    about         TEXT NOT NULL,
    subject       TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash          TEXT NOT NULL
);

CREATE INDEX audit_log_about ON audit_log (about, number);

-- Interceptions of lines (47 CFR 1.20003, 1.20004). A row is armed from starts_at to ends_at only if audit_log holds its request and its approval
-- by another person, with all that is in the row, and no end: written by hand it does nothing. recipient is the age key for what is intercepted.
CREATE TABLE warrants (
    id             TEXT NOT NULL PRIMARY KEY,
    warrant_number TEXT NOT NULL,
    line_id        TEXT NOT NULL,
    starts_at      TEXT NOT NULL,
    ends_at        TEXT NOT NULL,
    recipient      TEXT NOT NULL,
    requested_by   TEXT NOT NULL,
    requested_at   TEXT NOT NULL,
    approved_by    TEXT,
    approved_at    TEXT,
    ended_by       TEXT,
    ended_at       TEXT
);

CREATE INDEX warrants_ends ON warrants (ends_at);
