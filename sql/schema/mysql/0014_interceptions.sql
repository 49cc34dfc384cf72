-- Tandem, interceptions: what was intercepted under warrant. Replicas do not mirror it, and nothing but a warrant's id tells whose it is.

-- A part of a call: id is the call's here. content (audio; empty where there is none) and signalling (who, whom, when; JSON) are each a file of age, which
-- only the warrant's recipient reads; bytes is the length of both.
CREATE TABLE interceptions (
    id         VARCHAR(64) NOT NULL,
    part       INT NOT NULL,
    warrant_id VARCHAR(64) NOT NULL,
    at         DATETIME(3) NOT NULL,
    bytes      BIGINT NOT NULL,
    content    MEDIUMBLOB NOT NULL,
    signalling MEDIUMBLOB NOT NULL,
    PRIMARY KEY (id, part)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX interceptions_warrant ON interceptions (warrant_id);
