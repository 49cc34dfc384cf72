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
    id         TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    time_zone  TEXT,
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- Local times, HH:MM, from opens until before closes; 24:00 is the end of the day. A range that closes at or before it opens goes on into the next day,
-- and belongs to the day on which it opens.
CREATE TABLE schedule_hours (
    schedule_id TEXT NOT NULL,
    weekday     TEXT NOT NULL CHECK (weekday IN ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')),
    opens       TEXT NOT NULL,
    closes      TEXT NOT NULL,
    PRIMARY KEY (schedule_id, weekday, opens),
    FOREIGN KEY (schedule_id) REFERENCES schedules (id)
);

-- Days on which the hours of the weekday do not hold: YYYY-MM-DD, or MM-DD for every year. Without opens and closes all of the day is closed.
CREATE TABLE schedule_holidays (
    schedule_id TEXT NOT NULL,
    holiday     TEXT NOT NULL,
    name        TEXT NOT NULL DEFAULT '',
    opens       TEXT NOT NULL DEFAULT '',
    closes      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (schedule_id, holiday, opens),
    FOREIGN KEY (schedule_id) REFERENCES schedules (id)
);

-- What is said: what was recorded (prompt_recordings), else sound, files of Asterisk's sounds joined by &, else text, spoken. number is what is keyed in to
-- record it by phone, within the account; without one it is not.
CREATE TABLE prompts (
    id         TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    number     TEXT,
    name       TEXT NOT NULL,
    sound      TEXT NOT NULL DEFAULT '',
    text       TEXT NOT NULL DEFAULT '',
    UNIQUE (account_id, number),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- What was recorded by phone. Its audio is where that of mailboxes is (place: database, directory or s3).
CREATE TABLE prompt_recordings (
    prompt_id   TEXT NOT NULL PRIMARY KEY,
    audio_id    TEXT NOT NULL,
    place       TEXT NOT NULL,
    format      TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    FOREIGN KEY (prompt_id) REFERENCES prompts (id)
);

-- Who may record an account's prompts by phone: whoever knows the password (argon2id, a PHC string).
CREATE TABLE prompt_passwords (
    account_id    TEXT NOT NULL PRIMARY KEY,
    password_hash TEXT NOT NULL,
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- Passwords that were tried in a row, on any node, none of which was right.
CREATE TABLE prompt_guesses (
    account_id TEXT NOT NULL PRIMARY KEY,
    guesses    INTEGER NOT NULL,
    guessed_at TEXT NOT NULL
);

-- A menu. timeout_seconds is for the first key, between_ms for each further one of several; after max_timeouts without a key, or max_invalid wrong ones, the
-- options t and i hold. language is empty for that of the call. With direct_dial the account's extensions may be keyed in. Of an entry
-- nobody wonders that no number, extension or menu leads there.
CREATE TABLE menus (
    id              TEXT NOT NULL PRIMARY KEY,
    account_id      TEXT NOT NULL,
    name            TEXT NOT NULL,
    entry           BOOLEAN NOT NULL DEFAULT FALSE,
    language        TEXT NOT NULL DEFAULT '',
    direct_dial     BOOLEAN NOT NULL DEFAULT FALSE,
    timeout_seconds INTEGER NOT NULL DEFAULT 5 CHECK (timeout_seconds > 0),
    between_ms      INTEGER NOT NULL DEFAULT 2500 CHECK (between_ms > 0),
    max_timeouts    INTEGER NOT NULL DEFAULT 3 CHECK (max_timeouts > 0),
    max_invalid     INTEGER NOT NULL DEFAULT 3 CHECK (max_invalid > 0),
    operator        TEXT NOT NULL DEFAULT '',
    line_id         TEXT,
    FOREIGN KEY (account_id) REFERENCES accounts (id),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
);

-- Where keys lead; digits are one or several keys, or, as in Asterisk's dialplan, t (no key was pressed, max_timeouts times) and i (wrong ones were,
-- max_invalid times). A menu without digits asks for none: once its greeting is said, t holds.
CREATE TABLE menu_options (
    menu_id TEXT NOT NULL,
    digits  TEXT NOT NULL,
    action  TEXT NOT NULL CHECK (action IN ('line', 'group', 'mailbox', 'menu', 'extension', 'operator', 'number', 'directory', 'queue', 'conference', 'say',
        'language', 'lookup', 'hangup')),
    target  TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (menu_id, digits),
    FOREIGN KEY (menu_id) REFERENCES menus (id)
);

-- What is said, in order of position: s is the greeting, t is said after each time without a key, i after each wrong one, others before what the option of
-- these digits leads to.
CREATE TABLE menu_prompts (
    menu_id   TEXT NOT NULL,
    digits    TEXT NOT NULL,
    position  INTEGER NOT NULL,
    prompt_id TEXT NOT NULL,
    PRIMARY KEY (menu_id, digits, position),
    FOREIGN KEY (menu_id) REFERENCES menus (id),
    FOREIGN KEY (prompt_id) REFERENCES prompts (id)
);

-- Looked at before the greeting, in order of position: the first whose schedule holds (during) or does not (not during) decides.
CREATE TABLE menu_conditions (
    menu_id     TEXT NOT NULL,
    position    INTEGER NOT NULL,
    schedule_id TEXT NOT NULL,
    during      BOOLEAN NOT NULL,
    action      TEXT NOT NULL CHECK (action IN ('line', 'group', 'mailbox', 'menu', 'extension', 'operator', 'number', 'directory', 'queue', 'conference', 'lookup', 'hangup')),
    target      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (menu_id, position),
    FOREIGN KEY (menu_id) REFERENCES menus (id),
    FOREIGN KEY (schedule_id) REFERENCES schedules (id)
);

-- A web server that is asked for the next step, and what is done when it does not answer as it should within so many seconds. The caller keys in up to
-- digits keys before; with 0, what was pressed in the menu is sent.
CREATE TABLE menu_lookups (
    id         TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    method     TEXT NOT NULL DEFAULT 'POST' CHECK (method IN ('GET', 'POST')),
    url        TEXT NOT NULL,
    digits     INTEGER NOT NULL DEFAULT 0 CHECK (digits BETWEEN 0 AND 64),
    seconds    INTEGER NOT NULL DEFAULT 3 CHECK (seconds BETWEEN 1 AND 10),
    action     TEXT NOT NULL CHECK (action IN ('line', 'group', 'mailbox', 'menu', 'extension', 'operator', 'number', 'directory', 'queue', 'conference', 'hangup')),
    target     TEXT NOT NULL DEFAULT '',
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- All that an account has is read and changed at once.
CREATE INDEX schedules_account ON schedules (account_id);
CREATE INDEX menus_account ON menus (account_id);
CREATE INDEX menu_lookups_account ON menu_lookups (account_id);

-- Numbers and extensions lead there, too.
ALTER TABLE numbers ADD COLUMN menu_id TEXT REFERENCES menus (id);
ALTER TABLE numbers ADD COLUMN directory_id TEXT;
ALTER TABLE numbers ADD COLUMN queue TEXT;
ALTER TABLE numbers ADD COLUMN conference TEXT;

CREATE TABLE extensions_with_menus (
    account_id    TEXT NOT NULL,
    extension     TEXT NOT NULL,
    line_id       TEXT,
    ring_group_id TEXT,
    mailbox_id    TEXT,
    menu_id       TEXT,
    directory_id  TEXT,
    queue         TEXT,
    conference    TEXT,
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

CREATE TRIGGER extensions_inserted AFTER INSERT ON extensions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('extensions', NEW.account_id, NEW.extension, datetime('now'));
END;

CREATE TRIGGER extensions_updated AFTER UPDATE ON extensions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('extensions', NEW.account_id, NEW.extension, datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'extensions', OLD.account_id, OLD.extension, datetime('now')
    WHERE (NEW.account_id <> OLD.account_id OR NEW.extension <> OLD.extension);
END;

CREATE TRIGGER extensions_deleted AFTER DELETE ON extensions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('extensions', OLD.account_id, OLD.extension, datetime('now'));
END;

CREATE TRIGGER schedules_inserted AFTER INSERT ON schedules
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('schedules', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER schedules_updated AFTER UPDATE ON schedules
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('schedules', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'schedules', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER schedules_deleted AFTER DELETE ON schedules
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('schedules', OLD.id, '', datetime('now'));
END;

CREATE TRIGGER schedule_hours_inserted AFTER INSERT ON schedule_hours
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('schedule_hours', NEW.schedule_id, '', datetime('now'));
END;

CREATE TRIGGER schedule_hours_updated AFTER UPDATE ON schedule_hours
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('schedule_hours', NEW.schedule_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'schedule_hours', OLD.schedule_id, '', datetime('now')
    WHERE (NEW.schedule_id <> OLD.schedule_id);
END;

CREATE TRIGGER schedule_hours_deleted AFTER DELETE ON schedule_hours
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('schedule_hours', OLD.schedule_id, '', datetime('now'));
END;

CREATE TRIGGER schedule_holidays_inserted AFTER INSERT ON schedule_holidays
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('schedule_holidays', NEW.schedule_id, '', datetime('now'));
END;

CREATE TRIGGER schedule_holidays_updated AFTER UPDATE ON schedule_holidays
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('schedule_holidays', NEW.schedule_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'schedule_holidays', OLD.schedule_id, '', datetime('now')
    WHERE (NEW.schedule_id <> OLD.schedule_id);
END;

CREATE TRIGGER schedule_holidays_deleted AFTER DELETE ON schedule_holidays
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('schedule_holidays', OLD.schedule_id, '', datetime('now'));
END;

CREATE TRIGGER prompts_inserted AFTER INSERT ON prompts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('prompts', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER prompts_updated AFTER UPDATE ON prompts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('prompts', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'prompts', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER prompts_deleted AFTER DELETE ON prompts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('prompts', OLD.id, '', datetime('now'));
END;

CREATE TRIGGER prompt_recordings_inserted AFTER INSERT ON prompt_recordings
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('prompt_recordings', NEW.prompt_id, '', datetime('now'));
END;

CREATE TRIGGER prompt_recordings_updated AFTER UPDATE ON prompt_recordings
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('prompt_recordings', NEW.prompt_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'prompt_recordings', OLD.prompt_id, '', datetime('now')
    WHERE (NEW.prompt_id <> OLD.prompt_id);
END;

CREATE TRIGGER prompt_recordings_deleted AFTER DELETE ON prompt_recordings
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('prompt_recordings', OLD.prompt_id, '', datetime('now'));
END;

CREATE TRIGGER prompt_passwords_inserted AFTER INSERT ON prompt_passwords
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('prompt_passwords', NEW.account_id, '', datetime('now'));
END;

CREATE TRIGGER prompt_passwords_updated AFTER UPDATE ON prompt_passwords
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('prompt_passwords', NEW.account_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'prompt_passwords', OLD.account_id, '', datetime('now')
    WHERE (NEW.account_id <> OLD.account_id);
END;

CREATE TRIGGER prompt_passwords_deleted AFTER DELETE ON prompt_passwords
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('prompt_passwords', OLD.account_id, '', datetime('now'));
END;

CREATE TRIGGER menus_inserted AFTER INSERT ON menus
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menus', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER menus_updated AFTER UPDATE ON menus
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menus', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'menus', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER menus_deleted AFTER DELETE ON menus
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menus', OLD.id, '', datetime('now'));
END;

CREATE TRIGGER menu_options_inserted AFTER INSERT ON menu_options
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_options', NEW.menu_id, '', datetime('now'));
END;

CREATE TRIGGER menu_options_updated AFTER UPDATE ON menu_options
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_options', NEW.menu_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'menu_options', OLD.menu_id, '', datetime('now')
    WHERE (NEW.menu_id <> OLD.menu_id);
END;

CREATE TRIGGER menu_options_deleted AFTER DELETE ON menu_options
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_options', OLD.menu_id, '', datetime('now'));
END;

CREATE TRIGGER menu_prompts_inserted AFTER INSERT ON menu_prompts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_prompts', NEW.menu_id, '', datetime('now'));
END;

CREATE TRIGGER menu_prompts_updated AFTER UPDATE ON menu_prompts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_prompts', NEW.menu_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'menu_prompts', OLD.menu_id, '', datetime('now')
    WHERE (NEW.menu_id <> OLD.menu_id);
END;

CREATE TRIGGER menu_prompts_deleted AFTER DELETE ON menu_prompts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_prompts', OLD.menu_id, '', datetime('now'));
END;

CREATE TRIGGER menu_conditions_inserted AFTER INSERT ON menu_conditions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_conditions', NEW.menu_id, '', datetime('now'));
END;

CREATE TRIGGER menu_conditions_updated AFTER UPDATE ON menu_conditions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_conditions', NEW.menu_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'menu_conditions', OLD.menu_id, '', datetime('now')
    WHERE (NEW.menu_id <> OLD.menu_id);
END;

CREATE TRIGGER menu_conditions_deleted AFTER DELETE ON menu_conditions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_conditions', OLD.menu_id, '', datetime('now'));
END;

CREATE TRIGGER menu_lookups_inserted AFTER INSERT ON menu_lookups
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_lookups', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER menu_lookups_updated AFTER UPDATE ON menu_lookups
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_lookups', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'menu_lookups', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER menu_lookups_deleted AFTER DELETE ON menu_lookups
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('menu_lookups', OLD.id, '', datetime('now'));
END;
