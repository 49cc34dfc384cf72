-- Tandem, mailboxes: who has one, what is in it, and the audio, where the database keeps it.
-- Ids of messages and of audio are UUIDs of version 7, made by the node: two nodes never make the same one, whatever both do in one mailbox.
-- Numbers of messages are nowhere: they are computed on reading. Audio of a message and its row come and go in one transaction.

-- number is what an owner keys in, within the account. password_hash is argon2id (PHC string); without one nobody logs in by password.
-- An owner who is not set_up is led through password, name and greetings at the next login. line_id is the line with whose permissions the owner
-- calls back (call_back) and dials out (dial_out). operator is the extension of key 0. Limits of 0 are none; retention_days of 0 is the account's.
CREATE TABLE mailboxes (
    id                VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id        VARCHAR(64) NOT NULL,
    number            VARCHAR(32) NOT NULL,
    name              VARCHAR(100) NOT NULL,
    status            VARCHAR(32) NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'closed')),
    password_hash     VARCHAR(255),
    set_up            BOOLEAN NOT NULL DEFAULT FALSE,
    login_from_line   BOOLEAN NOT NULL DEFAULT FALSE,
    language          VARCHAR(32) NOT NULL DEFAULT '',
    time_zone         VARCHAR(64),
    mail              VARCHAR(255) NOT NULL DEFAULT '',
    pager             VARCHAR(255) NOT NULL DEFAULT '',
    webhook           VARCHAR(255) NOT NULL DEFAULT '',
    attach            BOOLEAN NOT NULL DEFAULT TRUE,
    delete_after_mail BOOLEAN NOT NULL DEFAULT FALSE,
    operator          VARCHAR(32) NOT NULL DEFAULT '',
    line_id           VARCHAR(64),
    call_back         BOOLEAN NOT NULL DEFAULT FALSE,
    dial_out          BOOLEAN NOT NULL DEFAULT FALSE,
    send_messages     BOOLEAN NOT NULL DEFAULT TRUE,
    review            BOOLEAN NOT NULL DEFAULT TRUE,
    say_envelope      BOOLEAN NOT NULL DEFAULT TRUE,
    say_caller        BOOLEAN NOT NULL DEFAULT FALSE,
    say_duration      BOOLEAN NOT NULL DEFAULT FALSE,
    hidden            BOOLEAN NOT NULL DEFAULT FALSE,
    max_messages      INT NOT NULL DEFAULT 100 CHECK (max_messages >= 0),
    max_minutes       INT NOT NULL DEFAULT 0 CHECK (max_minutes >= 0),
    max_seconds       INT NOT NULL DEFAULT 300 CHECK (max_seconds > 0),
    min_seconds       INT NOT NULL DEFAULT 2 CHECK (min_seconds >= 0),
    silence_seconds   INT NOT NULL DEFAULT 10 CHECK (silence_seconds >= 0),
    greeting_seconds  INT NOT NULL DEFAULT 60 CHECK (greeting_seconds > 0),
    retention_days    INT NOT NULL DEFAULT 0 CHECK (retention_days >= 0),
    gain_db           INT NOT NULL DEFAULT 0 CHECK (gain_db BETWEEN -30 AND 30),
    created_at        TIMESTAMPTZ(0) NOT NULL,
    UNIQUE (account_id, number),
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
);

-- What holds for all mailboxes of an account: quota, retention, and the texts of its mails (Jinja templates; empty for ours).
CREATE TABLE mailbox_rules (
    account_id     VARCHAR(64) NOT NULL PRIMARY KEY,
    max_messages   INT NOT NULL DEFAULT 0 CHECK (max_messages >= 0),
    max_minutes    INT NOT NULL DEFAULT 0 CHECK (max_minutes >= 0),
    retention_days INT NOT NULL DEFAULT 0 CHECK (retention_days >= 0),
    mail_from      VARCHAR(255) NOT NULL DEFAULT '',
    mail_subject   VARCHAR(255) NOT NULL DEFAULT '',
    mail_body      TEXT NOT NULL,
    pager_subject  VARCHAR(255) NOT NULL DEFAULT '',
    pager_body     TEXT NOT NULL,
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- What a mailbox says to callers. place says where the audio is: database, directory or s3.
CREATE TABLE mailbox_greetings (
    mailbox_id  VARCHAR(64) NOT NULL,
    kind        VARCHAR(32) NOT NULL CHECK (kind IN ('unavailable', 'busy', 'name', 'temporary')),
    audio_id    VARCHAR(64) NOT NULL,
    place       VARCHAR(32) NOT NULL,
    format      VARCHAR(32) NOT NULL,
    bytes       BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ(3) NOT NULL,
    PRIMARY KEY (mailbox_id, kind),
    FOREIGN KEY (mailbox_id) REFERENCES mailboxes (id)
);

-- A message. Its audio has its id. folder: INBOX (not heard), Old, Work, Family, Friends, Cust1 to Cust5. caller_number and caller_name are as they
-- were presented; line_id is the line that called, if one of ours did. changed_at is when it was last moved: the later move holds.
CREATE TABLE mailbox_messages (
    id             VARCHAR(64) NOT NULL PRIMARY KEY,
    mailbox_id     VARCHAR(64) NOT NULL,
    account_id     VARCHAR(64) NOT NULL,
    folder         VARCHAR(32) NOT NULL DEFAULT 'INBOX'
        CHECK (folder IN ('INBOX', 'Old', 'Work', 'Family', 'Friends', 'Cust1', 'Cust2', 'Cust3', 'Cust4', 'Cust5')),
    urgent         BOOLEAN NOT NULL DEFAULT FALSE,
    caller_number  VARCHAR(64) NOT NULL DEFAULT '',
    caller_name    VARCHAR(100) NOT NULL DEFAULT '',
    line_id        VARCHAR(64),
    forwarded_by   VARCHAR(64),
    left_at        TIMESTAMPTZ(3) NOT NULL,
    duration_ms    BIGINT NOT NULL,
    place          VARCHAR(32) NOT NULL,
    format         VARCHAR(32) NOT NULL,
    bytes          BIGINT NOT NULL,
    node           VARCHAR(64) NOT NULL,
    uniqueid       VARCHAR(64) NOT NULL,
    changed_at     TIMESTAMPTZ(3) NOT NULL,
    FOREIGN KEY (mailbox_id) REFERENCES mailboxes (id)
);

CREATE INDEX mailbox_messages_in_order ON mailbox_messages (mailbox_id, left_at);
CREATE INDEX mailbox_messages_of_account ON mailbox_messages (account_id, duration_ms);
CREATE INDEX mailbox_messages_by_age ON mailbox_messages (left_at);

-- Audio that the database keeps, in parts that fit into a packet of any server.
CREATE TABLE mailbox_audio (
    id    VARCHAR(64) NOT NULL,
    part  INT NOT NULL,
    audio BYTEA NOT NULL,
    PRIMARY KEY (id, part)
);

-- Audio elsewhere that nothing refers to any more, until it is removed there.
CREATE TABLE mailbox_audio_removals (
    id    VARCHAR(64) NOT NULL PRIMARY KEY,
    place VARCHAR(32) NOT NULL
);

-- Passwords that were tried in a row, on any node, none of which was right.
CREATE TABLE mailbox_guesses (
    mailbox_id VARCHAR(64) NOT NULL PRIMARY KEY,
    guesses    BIGINT NOT NULL,
    guessed_at TIMESTAMPTZ(0) NOT NULL
);

-- Who does the work that one node does for all, and until when it is theirs.
CREATE TABLE job_leases (
    job   VARCHAR(64) NOT NULL PRIMARY KEY,
    node  VARCHAR(64) NOT NULL,
    until TIMESTAMPTZ(0) NOT NULL
);

INSERT INTO job_leases (job, node, until) VALUES ('mailbox-upkeep', '', '2000-01-01 00:00:00+00'), ('mailbox-lamps', '', '2000-01-01 00:00:00+00');

-- Where calls go that nobody takes; and numbers and extensions that lead to a mailbox at once.
ALTER TABLE phone_lines ADD COLUMN mailbox_id VARCHAR(64) REFERENCES mailboxes (id);
ALTER TABLE ring_groups ADD COLUMN mailbox_id VARCHAR(64) REFERENCES mailboxes (id);
ALTER TABLE numbers ADD COLUMN mailbox_id VARCHAR(64) REFERENCES mailboxes (id);
CREATE INDEX phone_lines_mailbox ON phone_lines (mailbox_id);

CREATE TABLE extensions_with_mailboxes (
    account_id    VARCHAR(64) NOT NULL,
    extension     VARCHAR(32) NOT NULL,
    line_id       VARCHAR(64),
    ring_group_id VARCHAR(64),
    mailbox_id    VARCHAR(64),
    PRIMARY KEY (account_id, extension),
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id),
    FOREIGN KEY (ring_group_id) REFERENCES ring_groups (id),
    FOREIGN KEY (mailbox_id) REFERENCES mailboxes (id),
    CHECK ((CASE WHEN line_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN ring_group_id IS NULL THEN 0 ELSE 1 END)
        + (CASE WHEN mailbox_id IS NULL THEN 0 ELSE 1 END) = 1)
);

INSERT INTO extensions_with_mailboxes (account_id, extension, line_id, ring_group_id)
SELECT account_id, extension, line_id, ring_group_id FROM extensions;

DROP TABLE extensions;
ALTER TABLE extensions_with_mailboxes RENAME TO extensions;

CREATE TRIGGER extensions_changed AFTER INSERT OR UPDATE OR DELETE ON extensions
FOR EACH ROW EXECUTE FUNCTION note_change('account_id', 'extension');

CREATE TRIGGER mailboxes_changed AFTER INSERT OR UPDATE OR DELETE ON mailboxes
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER mailbox_rules_changed AFTER INSERT OR UPDATE OR DELETE ON mailbox_rules
FOR EACH ROW EXECUTE FUNCTION note_change('account_id');

CREATE TRIGGER mailbox_greetings_changed AFTER INSERT OR UPDATE OR DELETE ON mailbox_greetings
FOR EACH ROW EXECUTE FUNCTION note_change('mailbox_id', 'kind');

CREATE TRIGGER mailbox_messages_changed AFTER INSERT OR UPDATE OR DELETE ON mailbox_messages
FOR EACH ROW EXECUTE FUNCTION note_change('mailbox_id', 'id');
