-- Tandem, emergency calls: where lines are, who answers there, who is told, and what was done.

-- Where a line is, or one of its devices (device '' is the line itself). Latitude and longitude in degrees, WGS 84. placed_at is
-- when somebody last said that it is there.
CREATE TABLE emergency_locations (
    line_id         VARCHAR(64) NOT NULL,
    device          VARCHAR(64) NOT NULL DEFAULT '',
    country         VARCHAR(64) NOT NULL,
    state           VARCHAR(100) NOT NULL DEFAULT '',
    county          VARCHAR(100) NOT NULL DEFAULT '',
    city            VARCHAR(100) NOT NULL DEFAULT '',
    postal_code     VARCHAR(100) NOT NULL DEFAULT '',
    street          VARCHAR(100) NOT NULL DEFAULT '',
    house_number    VARCHAR(100) NOT NULL DEFAULT '',
    building        VARCHAR(100) NOT NULL DEFAULT '',
    floor           VARCHAR(100) NOT NULL DEFAULT '',
    room            VARCHAR(100) NOT NULL DEFAULT '',
    latitude        DOUBLE CHECK (latitude BETWEEN -90 AND 90),
    longitude       DOUBLE CHECK (longitude BETWEEN -180 AND 180),
    source          VARCHAR(100) NOT NULL DEFAULT '',
    placed_at       DATETIME,
    validation      VARCHAR(64) NOT NULL CHECK (validation IN ('none', 'pending', 'valid', 'invalid')),
    callback_number VARCHAR(64),
    PRIMARY KEY (line_id, device),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who is told of an emergency call of an account's lines: by mail, by HTTP, or by a message or call to a line.
CREATE TABLE emergency_contacts (
    account_id VARCHAR(64) NOT NULL,
    kind       VARCHAR(64) NOT NULL CHECK (kind IN ('mail', 'webhook', 'message', 'call')),
    address    VARCHAR(100) NOT NULL,
    PRIMARY KEY (account_id, kind, address),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who answers emergency calls (PSAP); id and status are the FCC registry's. Only active ones are chosen.
CREATE TABLE facilities (
    id        BIGINT NOT NULL PRIMARY KEY,
    name      VARCHAR(200) NOT NULL,
    state     VARCHAR(64) NOT NULL,
    county    VARCHAR(100) NOT NULL,
    city      VARCHAR(100) NOT NULL,
    status    VARCHAR(64) NOT NULL CHECK (status IN ('active', 'secondary', 'orphaned')),
    latitude  DOUBLE,
    longitude DOUBLE,
    number    VARCHAR(64)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The area that a facility serves: a GeoJSON geometry.
CREATE TABLE facility_areas (
    facility_id BIGINT NOT NULL PRIMARY KEY,
    area        MEDIUMTEXT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who answers where no facility is found: in a state, or (state '') anywhere.
CREATE TABLE facility_defaults (
    state       VARCHAR(64) NOT NULL PRIMARY KEY,
    facility_id BIGINT,
    name        VARCHAR(200) NOT NULL,
    number      VARCHAR(64)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Counties: id is state and county code (FIPS), area a GeoJSON geometry.
CREATE TABLE counties (
    id    VARCHAR(64) NOT NULL PRIMARY KEY,
    state VARCHAR(64) NOT NULL,
    name  VARCHAR(100) NOT NULL,
    area  MEDIUMTEXT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- An emergency call, as it was sent out; how its attempts ended is in call_attempts.
CREATE TABLE emergency_calls (
    node               VARCHAR(64) NOT NULL,
    boot               VARCHAR(64) NOT NULL,
    uniqueid           VARCHAR(64) NOT NULL,
    linkedid           VARCHAR(64) NOT NULL,
    called_at          DATETIME(3) NOT NULL,
    line_id            VARCHAR(64),
    device             VARCHAR(100) NOT NULL,
    device_address     VARCHAR(100) NOT NULL,
    account_id         VARCHAR(64),
    number             VARCHAR(100) NOT NULL,
    callback_number    VARCHAR(100) NOT NULL,
    location           MEDIUMTEXT NOT NULL,
    latitude           DOUBLE,
    longitude          DOUBLE,
    location_source    VARCHAR(100) NOT NULL,
    location_placed_at DATETIME,
    facility_id        BIGINT,
    facility_name      VARCHAR(200) NOT NULL,
    method             VARCHAR(64) NOT NULL,
    distance_m         BIGINT,
    source             VARCHAR(64) NOT NULL,
    shipped_at         DATETIME NOT NULL,
    PRIMARY KEY (node, uniqueid, boot)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX emergency_calls_callback ON emergency_calls (callback_number, called_at);

-- A notice of an emergency call, once it was delivered.
CREATE TABLE emergency_notices (
    node         VARCHAR(64) NOT NULL,
    boot         VARCHAR(64) NOT NULL,
    uniqueid     VARCHAR(64) NOT NULL,
    kind         VARCHAR(64) NOT NULL,
    address      VARCHAR(100) NOT NULL,
    created_at   DATETIME(3) NOT NULL,
    delivered_at DATETIME(3) NOT NULL,
    tries        BIGINT NOT NULL,
    last_error   MEDIUMTEXT NOT NULL,
    shipped_at   DATETIME NOT NULL,
    PRIMARY KEY (node, uniqueid, boot, kind, address)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who answered the questions of a call: central, replica, or (empty) nobody.
ALTER TABLE call_records ADD COLUMN source VARCHAR(64) NOT NULL DEFAULT '';

CREATE TRIGGER emergency_locations_inserted AFTER INSERT ON emergency_locations
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_locations', NEW.line_id, NEW.device, UTC_TIMESTAMP());

CREATE TRIGGER emergency_locations_updated AFTER UPDATE ON emergency_locations
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_locations', NEW.line_id, NEW.device, UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'emergency_locations', OLD.line_id, OLD.device, UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.line_id <> OLD.line_id OR NEW.device <> OLD.device);
END;

CREATE TRIGGER emergency_locations_deleted AFTER DELETE ON emergency_locations
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_locations', OLD.line_id, OLD.device, UTC_TIMESTAMP());

CREATE TRIGGER emergency_contacts_inserted AFTER INSERT ON emergency_contacts
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_contacts', NEW.account_id, '', UTC_TIMESTAMP());

CREATE TRIGGER emergency_contacts_updated AFTER UPDATE ON emergency_contacts
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_contacts', NEW.account_id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'emergency_contacts', OLD.account_id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.account_id <> OLD.account_id);
END;

CREATE TRIGGER emergency_contacts_deleted AFTER DELETE ON emergency_contacts
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_contacts', OLD.account_id, '', UTC_TIMESTAMP());

CREATE TRIGGER facilities_inserted AFTER INSERT ON facilities
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facilities', CAST(NEW.id AS CHAR), '', UTC_TIMESTAMP());

CREATE TRIGGER facilities_updated AFTER UPDATE ON facilities
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facilities', CAST(NEW.id AS CHAR), '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'facilities', CAST(OLD.id AS CHAR), '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER facilities_deleted AFTER DELETE ON facilities
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facilities', CAST(OLD.id AS CHAR), '', UTC_TIMESTAMP());

CREATE TRIGGER facility_areas_inserted AFTER INSERT ON facility_areas
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_areas', CAST(NEW.facility_id AS CHAR), '', UTC_TIMESTAMP());

CREATE TRIGGER facility_areas_updated AFTER UPDATE ON facility_areas
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_areas', CAST(NEW.facility_id AS CHAR), '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'facility_areas', CAST(OLD.facility_id AS CHAR), '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.facility_id <> OLD.facility_id);
END;

CREATE TRIGGER facility_areas_deleted AFTER DELETE ON facility_areas
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_areas', CAST(OLD.facility_id AS CHAR), '', UTC_TIMESTAMP());

CREATE TRIGGER facility_defaults_inserted AFTER INSERT ON facility_defaults
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_defaults', NEW.state, '', UTC_TIMESTAMP());

CREATE TRIGGER facility_defaults_updated AFTER UPDATE ON facility_defaults
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_defaults', NEW.state, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'facility_defaults', OLD.state, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.state <> OLD.state);
END;

CREATE TRIGGER facility_defaults_deleted AFTER DELETE ON facility_defaults
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('facility_defaults', OLD.state, '', UTC_TIMESTAMP());

CREATE TRIGGER counties_inserted AFTER INSERT ON counties
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('counties', NEW.id, '', UTC_TIMESTAMP());

CREATE TRIGGER counties_updated AFTER UPDATE ON counties
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('counties', NEW.id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'counties', OLD.id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER counties_deleted AFTER DELETE ON counties
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('counties', OLD.id, '', UTC_TIMESTAMP());

CREATE TRIGGER emergency_calls_inserted AFTER INSERT ON emergency_calls
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_calls', NEW.node, NEW.uniqueid, UTC_TIMESTAMP());

CREATE TRIGGER emergency_calls_updated AFTER UPDATE ON emergency_calls
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_calls', NEW.node, NEW.uniqueid, UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'emergency_calls', OLD.node, OLD.uniqueid, UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.node <> OLD.node OR NEW.uniqueid <> OLD.uniqueid);
END;

CREATE TRIGGER emergency_calls_deleted AFTER DELETE ON emergency_calls
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('emergency_calls', OLD.node, OLD.uniqueid, UTC_TIMESTAMP());
