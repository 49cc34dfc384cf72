-- Tandem, emergency calls: where lines are, who answers there, who is told, and what was done.

-- Where a line is, or one of its devices (device '' is the line itself). Latitude and longitude in degrees, WGS 84. placed_at is
-- when somebody last said that it is there.
CREATE TABLE emergency_locations (
    line_id         TEXT NOT NULL,
    device          TEXT NOT NULL DEFAULT '',
    country         TEXT NOT NULL,
    state           TEXT NOT NULL DEFAULT '',
    county          TEXT NOT NULL DEFAULT '',
    city            TEXT NOT NULL DEFAULT '',
    postal_code     TEXT NOT NULL DEFAULT '',
    street          TEXT NOT NULL DEFAULT '',
    house_number    TEXT NOT NULL DEFAULT '',
    building        TEXT NOT NULL DEFAULT '',
    floor           TEXT NOT NULL DEFAULT '',
    room            TEXT NOT NULL DEFAULT '',
    latitude        REAL CHECK (latitude BETWEEN -90 AND 90),
    longitude       REAL CHECK (longitude BETWEEN -180 AND 180),
    source          TEXT NOT NULL DEFAULT '',
    placed_at       TEXT,
    validation      TEXT NOT NULL CHECK (validation IN ('none', 'pending', 'valid', 'invalid')),
    callback_number TEXT,
    PRIMARY KEY (line_id, device),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
);

-- Who is told of an emergency call of an account's lines: by mail, by HTTP, or by a message or call to a line.
CREATE TABLE emergency_contacts (
    account_id TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('mail', 'webhook', 'message', 'call')),
    address    TEXT NOT NULL,
    PRIMARY KEY (account_id, kind, address),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- Who answers emergency calls (PSAP); id and status are the FCC registry's. Only active ones are chosen.
CREATE TABLE facilities (
    id        INTEGER NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL,
    state     TEXT NOT NULL,
    county    TEXT NOT NULL,
    city      TEXT NOT NULL,
    status    TEXT NOT NULL CHECK (status IN ('active', 'secondary', 'orphaned')),
    latitude  REAL,
    longitude REAL,
    number    TEXT
);

-- The area that a facility serves: a GeoJSON geometry.
CREATE TABLE facility_areas (
    facility_id INTEGER NOT NULL PRIMARY KEY,
    area        TEXT NOT NULL
);

-- Who answers where no facility is found: in a state, or (state '') anywhere.
CREATE TABLE facility_defaults (
    state       TEXT NOT NULL PRIMARY KEY,
    facility_id INTEGER,
    name        TEXT NOT NULL,
    number      TEXT
);

-- Counties: id is state and county code (FIPS), area a GeoJSON geometry.
CREATE TABLE counties (
    id    TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    name  TEXT NOT NULL,
    area  TEXT NOT NULL
);

-- An emergency call, as it was sent out; how its attempts ended is in call_attempts.
CREATE TABLE emergency_calls (
    node               TEXT NOT NULL,
    boot               TEXT NOT NULL,
    uniqueid           TEXT NOT NULL,
    linkedid           TEXT NOT NULL,
    called_at          TEXT NOT NULL,
    line_id            TEXT,
    device             TEXT NOT NULL,
    device_address     TEXT NOT NULL,
    account_id         TEXT,
    number             TEXT NOT NULL,
    callback_number    TEXT NOT NULL,
    location           TEXT NOT NULL,
    latitude           REAL,
    longitude          REAL,
    location_source    TEXT NOT NULL,
    location_placed_at TEXT,
    facility_id        INTEGER,
    facility_name      TEXT NOT NULL,
    method             TEXT NOT NULL,
    distance_m         INTEGER,
    source             TEXT NOT NULL,
    shipped_at         TEXT NOT NULL,
    PRIMARY KEY (node, uniqueid, boot)
);

CREATE INDEX emergency_calls_callback ON emergency_calls (callback_number, called_at);

-- A notice of an emergency call, once it was delivered.
CREATE TABLE emergency_notices (
    node         TEXT NOT NULL,
    boot         TEXT NOT NULL,
    uniqueid     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    address      TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    delivered_at TEXT NOT NULL,
    tries        INTEGER NOT NULL,
    last_error   TEXT NOT NULL,
    shipped_at   TEXT NOT NULL,
    PRIMARY KEY (node, uniqueid, boot, kind, address)
);

-- Who answered the questions of a call: central, replica, or (empty) nobody.
ALTER TABLE call_records ADD COLUMN source TEXT NOT NULL DEFAULT '';

CREATE TRIGGER emergency_locations_inserted AFTER INSERT ON emergency_locations
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_locations', NEW.line_id, NEW.device, datetime('now'));
END;

CREATE TRIGGER emergency_locations_updated AFTER UPDATE ON emergency_locations
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_locations', NEW.line_id, NEW.device, datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'emergency_locations', OLD.line_id, OLD.device, datetime('now')
    WHERE (NEW.line_id <> OLD.line_id OR NEW.device <> OLD.device);
END;

CREATE TRIGGER emergency_locations_deleted AFTER DELETE ON emergency_locations
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_locations', OLD.line_id, OLD.device, datetime('now'));
END;

CREATE TRIGGER emergency_contacts_inserted AFTER INSERT ON emergency_contacts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_contacts', NEW.account_id, '', datetime('now'));
END;

CREATE TRIGGER emergency_contacts_updated AFTER UPDATE ON emergency_contacts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_contacts', NEW.account_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'emergency_contacts', OLD.account_id, '', datetime('now')
    WHERE (NEW.account_id <> OLD.account_id);
END;

CREATE TRIGGER emergency_contacts_deleted AFTER DELETE ON emergency_contacts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_contacts', OLD.account_id, '', datetime('now'));
END;

CREATE TRIGGER facilities_inserted AFTER INSERT ON facilities
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facilities', CAST(NEW.id AS TEXT), '', datetime('now'));
END;

CREATE TRIGGER facilities_updated AFTER UPDATE ON facilities
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facilities', CAST(NEW.id AS TEXT), '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'facilities', CAST(OLD.id AS TEXT), '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER facilities_deleted AFTER DELETE ON facilities
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facilities', CAST(OLD.id AS TEXT), '', datetime('now'));
END;

CREATE TRIGGER facility_areas_inserted AFTER INSERT ON facility_areas
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_areas', CAST(NEW.facility_id AS TEXT), '', datetime('now'));
END;

CREATE TRIGGER facility_areas_updated AFTER UPDATE ON facility_areas
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_areas', CAST(NEW.facility_id AS TEXT), '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'facility_areas', CAST(OLD.facility_id AS TEXT), '', datetime('now')
    WHERE (NEW.facility_id <> OLD.facility_id);
END;

CREATE TRIGGER facility_areas_deleted AFTER DELETE ON facility_areas
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_areas', CAST(OLD.facility_id AS TEXT), '', datetime('now'));
END;

CREATE TRIGGER facility_defaults_inserted AFTER INSERT ON facility_defaults
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_defaults', NEW.state, '', datetime('now'));
END;

CREATE TRIGGER facility_defaults_updated AFTER UPDATE ON facility_defaults
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_defaults', NEW.state, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'facility_defaults', OLD.state, '', datetime('now')
    WHERE (NEW.state <> OLD.state);
END;

CREATE TRIGGER facility_defaults_deleted AFTER DELETE ON facility_defaults
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_defaults', OLD.state, '', datetime('now'));
END;

CREATE TRIGGER counties_inserted AFTER INSERT ON counties
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('counties', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER counties_updated AFTER UPDATE ON counties
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('counties', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'counties', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER counties_deleted AFTER DELETE ON counties
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('counties', OLD.id, '', datetime('now'));
END;

CREATE TRIGGER emergency_calls_inserted AFTER INSERT ON emergency_calls
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_calls', NEW.node, NEW.uniqueid, datetime('now'));
END;

CREATE TRIGGER emergency_calls_updated AFTER UPDATE ON emergency_calls
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_calls', NEW.node, NEW.uniqueid, datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'emergency_calls', OLD.node, OLD.uniqueid, datetime('now')
    WHERE (NEW.node <> OLD.node OR NEW.uniqueid <> OLD.uniqueid);
END;

CREATE TRIGGER emergency_calls_deleted AFTER DELETE ON emergency_calls
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_calls', OLD.node, OLD.uniqueid, datetime('now'));
END;
