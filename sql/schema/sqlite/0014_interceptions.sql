-- Tandem, interceptions: what was intercepted under warrant. Replicas do not mirror it, and nothing but a warrant's id tells whose it is.

-- A part of a call: id is the call's here. content (audio; empty where there is none) and signalling (who, whom, when; JSON) are each a file of age, which
-- only the warrant's recipient reads; bytes is the length of both.
CREATE TABLE interceptions (
    id         TEXT NOT NULL,
    part       INTEGER NOT NULL,
    warrant_id TEXT NOT NULL,
    at         TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    content    BLOB NOT NULL,
    signalling BLOB NOT NULL,
    PRIMARY KEY (id, part)
);

CREATE INDEX interceptions_warrant ON interceptions (warrant_id);
