-- Tandem, menus: what callers hear and press, when, and where each key leads; and numbers and extensions that lead to a menu, a directory, a queue or a
-- conference.
-- What a key, a condition or a lookup leads to is an action and its target:
--   line, group, mailbox, menu   the id of one of the account's
--   extension                    an extension of the account; operator has none: it is the menu's own
--   number                       an outside number, called with the permissions of the menu's line
--   directory, queue, conference its id or name
--   say                          nothing: the key's prompts are said, then the menu again
--   language                     the language in which the menu goes on
--   lookup                       the id of a lookup: a web server is asked for the next step
--   hangup                       nothing
-- No foreign key holds targets together: `tandem import menus` takes a file only if every one is there, and `tandem menu check` looks again.

-- Hours of an account, in its own time zone unless time_zone names another.
CREATE TABLE schedules (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL,
    name       VARCHAR(100) NOT NULL,
    time_zone  VARCHAR(64),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- Local times, HH:MM, from opens until before closes; 24:00 is the end of the day. A range that closes at or before it opens goes on into the next day,
-- and belongs to the day on which it opens.
CREATE TABLE schedule_hours (
    schedule_id VARCHAR(64) NOT NULL,
    weekday     VARCHAR(32) NOT NULL CHECK (weekday IN ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')),
    opens       VARCHAR(32) NOT NULL,
    closes      VARCHAR(32) NOT NULL,
    PRIMARY KEY (schedule_id, weekday, opens),
    FOREIGN KEY (schedule_id) REFERENCES schedules (id)
);

-- Days on which the hours of the weekday do not hold: YYYY-MM-DD, or MM-DD for every year. Without opens and closes all of the day is closed.
CREATE TABLE schedule_holidays (
    schedule_id VARCHAR(64) NOT NULL,
    holiday     VARCHAR(32) NOT NULL,
    name        VARCHAR(100) NOT NULL DEFAULT '',
    opens       VARCHAR(32) NOT NULL DEFAULT '',
    closes      VARCHAR(32) NOT NULL DEFAULT '',
    PRIMARY KEY (schedule_id, holiday, opens),
    FOREIGN KEY (schedule_id) REFERENCES schedules (id)
);

-- What is said: what was recorded (prompt_recordings), else sound, files of Asterisk's sounds joined by &, else text, spoken. number is what is keyed in to
-- record it by phone, within the account; without one it is not.
CREATE TABLE prompts (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL,
    number     VARCHAR(32),
    name       VARCHAR(100) NOT NULL,
    sound      VARCHAR(255) NOT NULL DEFAULT '',
    text       VARCHAR(1000) NOT NULL DEFAULT '',
    UNIQUE (account_id, number),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- What was recorded by phone. Its audio is where that of mailboxes is (place: database, directory or s3).
CREATE TABLE prompt_recordings (
    prompt_id   VARCHAR(64) NOT NULL PRIMARY KEY,
    audio_id    VARCHAR(64) NOT NULL,
    place       VARCHAR(32) NOT NULL,
    format      VARCHAR(32) NOT NULL,
    bytes       BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ(3) NOT NULL,
    FOREIGN KEY (prompt_id) REFERENCES prompts (id)
);

-- Who may record an account's prompts by phone: whoever knows the password (argon2id, a PHC string).
CREATE TABLE prompt_passwords (
    account_id    VARCHAR(64) NOT NULL PRIMARY KEY,
    password_hash VARCHAR(255) NOT NULL,
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- Passwords that were tried in a row, on any node, none of which was right.
CREATE TABLE prompt_guesses (
    account_id VARCHAR(64) NOT NULL PRIMARY KEY,
    guesses    BIGINT NOT NULL,
    guessed_at TIMESTAMPTZ(0) NOT NULL
);

-- A menu. timeout_seconds is for the first key, between_ms for each further one of several; after max_timeouts without a key, or max_invalid wrong ones, the
-- options t and i hold. language is empty for that of the call. With direct_dial the account's extensions may be keyed in. Of an entry
-- nobody wonders that no number, extension or menu leads there.
CREATE TABLE menus (
    id              VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id      VARCHAR(64) NOT NULL,
    name            VARCHAR(100) NOT NULL,
    entry           BOOLEAN NOT NULL DEFAULT FALSE,
    language        VARCHAR(32) NOT NULL DEFAULT '',
    direct_dial     BOOLEAN NOT NULL DEFAULT FALSE,
    timeout_seconds INT NOT NULL DEFAULT 5 CHECK (timeout_seconds > 0),
    between_ms      INT NOT NULL DEFAULT 2500 CHECK (between_ms > 0),
    max_timeouts    INT NOT NULL DEFAULT 3 CHECK (max_timeouts > 0),
    max_invalid     INT NOT NULL DEFAULT 3 CHECK (max_invalid > 0),
    operator        VARCHAR(32) NOT NULL DEFAULT '',
    line_id         VARCHAR(64),
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
);

-- Where keys lead; digits are one or several keys, or, as in Asterisk's dialplan, t (no key was pressed, max_timeouts times) and i (wrong ones were,
-- max_invalid times). A menu without digits asks for none: once its greeting is said, t holds.
CREATE TABLE menu_options (
    menu_id VARCHAR(64) NOT NULL,
    digits  VARCHAR(32) NOT NULL,
    action  VARCHAR(32) NOT NULL CHECK (action IN ('line', 'group', 'mailbox', 'menu', 'extension', 'operator', 'number', 'directory', 'queue', 'conference', 'say',
        'language', 'lookup', 'hangup')),
    target  VARCHAR(64) NOT NULL DEFAULT '',
    PRIMARY KEY (menu_id, digits),
    FOREIGN KEY (menu_id) REFERENCES menus (id)
);

-- What is said, in order of position: s is the greeting, t is said after each time without a key, i after each wrong one, others before what the option of
-- these digits leads to.
CREATE TABLE menu_prompts (
    menu_id   VARCHAR(64) NOT NULL,
    digits    VARCHAR(32) NOT NULL,
    position  INT NOT NULL,
    prompt_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (menu_id, digits, position),
    FOREIGN KEY (menu_id) REFERENCES menus (id),
    FOREIGN KEY (prompt_id) REFERENCES prompts (id)
);

-- Looked at before the greeting, in order of position: the first whose schedule holds (during) or does not (not during) decides.
CREATE TABLE menu_conditions (
    menu_id     VARCHAR(64) NOT NULL,
    position    INT NOT NULL,
    schedule_id VARCHAR(64) NOT NULL,
    during      BOOLEAN NOT NULL,
    action      VARCHAR(32) NOT NULL CHECK (action IN ('line', 'group', 'mailbox', 'menu', 'extension', 'operator', 'number', 'directory', 'queue', 'conference', 'lookup', 'hangup')),
    target      VARCHAR(64) NOT NULL DEFAULT '',
    PRIMARY KEY (menu_id, position),
    FOREIGN KEY (menu_id) REFERENCES menus (id),
    FOREIGN KEY (schedule_id) REFERENCES schedules (id)
);

-- A web server that is asked for the next step, and what is done when it does not answer as it should within so many seconds. The caller keys in up to
-- digits keys before; with 0, what was pressed in the menu is sent.
CREATE TABLE menu_lookups (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id VARCHAR(64) NOT NULL,
    method     VARCHAR(32) NOT NULL DEFAULT 'POST' CHECK (method IN ('GET', 'POST')),
    url        VARCHAR(255) NOT NULL,
    digits     INT NOT NULL DEFAULT 0 CHECK (digits BETWEEN 0 AND 64),
    seconds    INT NOT NULL DEFAULT 3 CHECK (seconds BETWEEN 1 AND 10),
    action     VARCHAR(32) NOT NULL CHECK (action IN ('line', 'group', 'mailbox', 'menu', 'extension', 'operator', 'number', 'directory', 'queue', 'conference', 'hangup')),
    target     VARCHAR(64) NOT NULL DEFAULT '',
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- All that an account has is read and changed at once.
CREATE INDEX schedules_account ON schedules (account_id);
CREATE INDEX menus_account ON menus (account_id);
CREATE INDEX menu_lookups_account ON menu_lookups (account_id);

-- Numbers and extensions lead there, too.
ALTER TABLE numbers ADD COLUMN menu_id VARCHAR(64) REFERENCES menus (id);
ALTER TABLE numbers ADD COLUMN directory_id VARCHAR(64);
ALTER TABLE numbers ADD COLUMN queue VARCHAR(64);
ALTER TABLE numbers ADD COLUMN conference VARCHAR(64);

CREATE TABLE extensions_with_menus (
    account_id    VARCHAR(64) NOT NULL,
    extension     VARCHAR(32) NOT NULL,
    line_id       VARCHAR(64),
    ring_group_id VARCHAR(64),
    mailbox_id    VARCHAR(64),
    menu_id       VARCHAR(64),
    directory_id  VARCHAR(64),
    queue         VARCHAR(64),
    conference    VARCHAR(64),
    PRIMARY KEY (account_id, extension),
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id),
    FOREIGN KEY (ring_group_id) REFERENCES ring_groups (id),
    FOREIGN KEY (mailbox_id) REFERENCES mailboxes (id),
    FOREIGN KEY (menu_id) REFERENCES menus (id),
    CHECK ((CASE WHEN line_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN ring_group_id IS NULL THEN 0 ELSE 1 END)
        + (CASE WHEN mailbox_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN menu_id IS NULL THEN 0 ELSE 1 END)
        + (CASE WHEN directory_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN queue IS NULL THEN 0 ELSE 1 END)
        + (CASE WHEN conference IS NULL THEN 0 ELSE 1 END) = 1)
);

INSERT INTO extensions_with_menus (account_id, extension, line_id, ring_group_id, mailbox_id)
SELECT account_id, extension, line_id, ring_group_id, mailbox_id FROM extensions;

DROP TABLE extensions;
ALTER TABLE extensions_with_menus RENAME TO extensions;

CREATE TRIGGER extensions_changed AFTER INSERT OR UPDATE OR DELETE ON extensions
FOR EACH ROW EXECUTE FUNCTION note_change('account_id', 'extension');

CREATE TRIGGER schedules_changed AFTER INSERT OR UPDATE OR DELETE ON schedules
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER schedule_hours_changed AFTER INSERT OR UPDATE OR DELETE ON schedule_hours
FOR EACH ROW EXECUTE FUNCTION note_change('schedule_id');

CREATE TRIGGER schedule_holidays_changed AFTER INSERT OR UPDATE OR DELETE ON schedule_holidays
FOR EACH ROW EXECUTE FUNCTION note_change('schedule_id');

CREATE TRIGGER prompts_changed AFTER INSERT OR UPDATE OR DELETE ON prompts
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER prompt_recordings_changed AFTER INSERT OR UPDATE OR DELETE ON prompt_recordings
FOR EACH ROW EXECUTE FUNCTION note_change('prompt_id');

CREATE TRIGGER prompt_passwords_changed AFTER INSERT OR UPDATE OR DELETE ON prompt_passwords
FOR EACH ROW EXECUTE FUNCTION note_change('account_id');

CREATE TRIGGER menus_changed AFTER INSERT OR UPDATE OR DELETE ON menus
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER menu_options_changed AFTER INSERT OR UPDATE OR DELETE ON menu_options
FOR EACH ROW EXECUTE FUNCTION note_change('menu_id');

CREATE TRIGGER menu_prompts_changed AFTER INSERT OR UPDATE OR DELETE ON menu_prompts
FOR EACH ROW EXECUTE FUNCTION note_change('menu_id');

CREATE TRIGGER menu_conditions_changed AFTER INSERT OR UPDATE OR DELETE ON menu_conditions
FOR EACH ROW EXECUTE FUNCTION note_change('menu_id');

CREATE TRIGGER menu_lookups_changed AFTER INSERT OR UPDATE OR DELETE ON menu_lookups
FOR EACH ROW EXECUTE FUNCTION note_change('id');
