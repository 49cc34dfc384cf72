-- Tandem, features: what lines do with calls to them, as their users set it by phone or their provider by import, and the codes that they dial for it.

-- A line without a row does nothing of it. Forwarding numbers are as the line would dial them, and the line's permissions decide each call; empty for
-- none. forward_shows_caller shows the caller's number on forwarded calls that leave the house, where carriers allow it; else the line's own.
-- find_me rings the line and its find_me_numbers, one after the other or together.
CREATE TABLE line_features (
    line_id              VARCHAR(64) NOT NULL PRIMARY KEY,
    do_not_disturb       BOOLEAN NOT NULL DEFAULT FALSE,
    forward_always       VARCHAR(32) NOT NULL DEFAULT '',
    forward_busy         VARCHAR(32) NOT NULL DEFAULT '',
    forward_unanswered   VARCHAR(32) NOT NULL DEFAULT '',
    forward_unreachable  VARCHAR(32) NOT NULL DEFAULT '',
    forward_shows_caller BOOLEAN NOT NULL DEFAULT FALSE,
    reject_anonymous     BOOLEAN NOT NULL DEFAULT FALSE,
    screening            BOOLEAN NOT NULL DEFAULT FALSE,
    find_me              VARCHAR(32) NOT NULL DEFAULT 'off' CHECK (find_me IN ('off', 'in_order', 'together')),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Where else somebody is looked for, in order of position, as the line would dial it.
CREATE TABLE find_me_numbers (
    line_id      VARCHAR(64) NOT NULL,
    position     INT NOT NULL,
    number       VARCHAR(32) NOT NULL,
    ring_seconds INT NOT NULL DEFAULT 20 CHECK (ring_seconds > 0),
    PRIMARY KEY (line_id, position),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Numbers of a line that are dialled by the code for it and the slot.
CREATE TABLE speed_dials (
    line_id VARCHAR(64) NOT NULL,
    slot    VARCHAR(16) NOT NULL,
    number  VARCHAR(32) NOT NULL,
    PRIMARY KEY (line_id, slot),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who does not reach a line: digits of E.164, or an extension of its account.
CREATE TABLE blocked_callers (
    line_id VARCHAR(64) NOT NULL,
    number  VARCHAR(32) NOT NULL,
    PRIMARY KEY (line_id, number),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What is dialled for a feature; the longest code that fits wins, and an extension of the account before any. Delete or change rows at will.
CREATE TABLE feature_codes (
    code    VARCHAR(16) NOT NULL PRIMARY KEY,
    feature VARCHAR(32) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO feature_codes (code, feature)
VALUES
    ('*67', 'withhold'),
    ('*82', 'present'),
    ('*69', 'last-call'),
    ('*72', 'forward-always'),
    ('*73', 'forward-always-off'),
    ('*90', 'forward-busy'),
    ('*91', 'forward-busy-off'),
    ('*92', 'forward-unanswered'),
    ('*93', 'forward-unanswered-off'),
    ('*94', 'forward-unreachable'),
    ('*95', 'forward-unreachable-off'),
    ('*78', 'do-not-disturb'),
    ('*79', 'do-not-disturb-off'),
    ('*0', 'speed-dial'),
    ('*75', 'speed-dial-set'),
    ('*60', 'block-caller'),
    ('*61', 'block-last-caller'),
    ('*80', 'unblock-caller'),
    ('*77', 'reject-anonymous'),
    ('*87', 'reject-anonymous-off'),
    ('*45', 'screening'),
    ('*46', 'screening-off'),
    ('*62', 'find-me'),
    ('*66', 'find-me-together'),
    ('*63', 'find-me-off'),
    ('*64', 'find-me-add'),
    ('*65', 'find-me-clear');

-- The caller's number as it was shown to whom was called; empty when it was withheld.
ALTER TABLE call_attempts ADD COLUMN shown_number VARCHAR(64) NOT NULL DEFAULT '';

CREATE TRIGGER line_features_inserted AFTER INSERT ON line_features
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('line_features', NEW.line_id, '', UTC_TIMESTAMP());

CREATE TRIGGER line_features_updated AFTER UPDATE ON line_features
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('line_features', NEW.line_id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'line_features', OLD.line_id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.line_id <> OLD.line_id);
END;

CREATE TRIGGER line_features_deleted AFTER DELETE ON line_features
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('line_features', OLD.line_id, '', UTC_TIMESTAMP());

CREATE TRIGGER find_me_numbers_inserted AFTER INSERT ON find_me_numbers
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('find_me_numbers', NEW.line_id, '', UTC_TIMESTAMP());

CREATE TRIGGER find_me_numbers_updated AFTER UPDATE ON find_me_numbers
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('find_me_numbers', NEW.line_id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'find_me_numbers', OLD.line_id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.line_id <> OLD.line_id);
END;

CREATE TRIGGER find_me_numbers_deleted AFTER DELETE ON find_me_numbers
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('find_me_numbers', OLD.line_id, '', UTC_TIMESTAMP());

CREATE TRIGGER speed_dials_inserted AFTER INSERT ON speed_dials
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('speed_dials', NEW.line_id, NEW.slot, UTC_TIMESTAMP());

CREATE TRIGGER speed_dials_updated AFTER UPDATE ON speed_dials
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('speed_dials', NEW.line_id, NEW.slot, UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'speed_dials', OLD.line_id, OLD.slot, UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.line_id <> OLD.line_id OR NEW.slot <> OLD.slot);
END;

CREATE TRIGGER speed_dials_deleted AFTER DELETE ON speed_dials
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('speed_dials', OLD.line_id, OLD.slot, UTC_TIMESTAMP());

CREATE TRIGGER blocked_callers_inserted AFTER INSERT ON blocked_callers
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('blocked_callers', NEW.line_id, NEW.number, UTC_TIMESTAMP());

CREATE TRIGGER blocked_callers_updated AFTER UPDATE ON blocked_callers
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('blocked_callers', NEW.line_id, NEW.number, UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'blocked_callers', OLD.line_id, OLD.number, UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.line_id <> OLD.line_id OR NEW.number <> OLD.number);
END;

CREATE TRIGGER blocked_callers_deleted AFTER DELETE ON blocked_callers
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('blocked_callers', OLD.line_id, OLD.number, UTC_TIMESTAMP());

CREATE TRIGGER feature_codes_inserted AFTER INSERT ON feature_codes
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('feature_codes', NEW.code, '', UTC_TIMESTAMP());

CREATE TRIGGER feature_codes_updated AFTER UPDATE ON feature_codes
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('feature_codes', NEW.code, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'feature_codes', OLD.code, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.code <> OLD.code);
END;

CREATE TRIGGER feature_codes_deleted AFTER DELETE ON feature_codes
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('feature_codes', OLD.code, '', UTC_TIMESTAMP());
