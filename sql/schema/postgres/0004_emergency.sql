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
    latitude        DOUBLE PRECISION CHECK (latitude BETWEEN -90 AND 90),
    longitude       DOUBLE PRECISION CHECK (longitude BETWEEN -180 AND 180),
    source          VARCHAR(100) NOT NULL DEFAULT '',
    placed_at       TIMESTAMPTZ(0),
    validation      VARCHAR(64) NOT NULL CHECK (validation IN ('none', 'pending', 'valid', 'invalid')),
    callback_number VARCHAR(64),
    PRIMARY KEY (line_id, device),
    FOREIGN KEY (line_id) REFERENCES phone_lines (id)
);

-- Who is told of an emergency call of an account's lines: by mail, by HTTP, or by a message or call to a line.
CREATE TABLE emergency_contacts (
    account_id VARCHAR(64) NOT NULL,
    kind       VARCHAR(64) NOT NULL CHECK (kind IN ('mail', 'webhook', 'message', 'call')),
    address    VARCHAR(100) NOT NULL,
    PRIMARY KEY (account_id, kind, address),
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

-- Who answers emergency calls (PSAP); id and status are the FCC registry's. Only active ones are chosen.
CREATE TABLE facilities (
    id        BIGINT NOT NULL PRIMARY KEY,
    name      VARCHAR(200) NOT NULL,
    state     VARCHAR(64) NOT NULL,
    county    VARCHAR(100) NOT NULL,
    city      VARCHAR(100) NOT NULL,
    status    VARCHAR(64) NOT NULL CHECK (status IN ('active', 'secondary', 'orphaned')),
    latitude  DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    number    VARCHAR(64)
);

-- The area that a facility serves: a GeoJSON geometry.
CREATE TABLE facility_areas (
    facility_id BIGINT NOT NULL PRIMARY KEY,
    area        TEXT NOT NULL
);

-- Who answers where no facility is found: in a state, or (state '') anywhere.
CREATE TABLE facility_defaults (
    state       VARCHAR(64) NOT NULL PRIMARY KEY,
    facility_id BIGINT,
    name        VARCHAR(200) NOT NULL,
    number      VARCHAR(64)
);

-- Counties: id is state and county code (FIPS), area a GeoJSON geometry.
CREATE TABLE counties (
    id    VARCHAR(64) NOT NULL PRIMARY KEY,
    state VARCHAR(64) NOT NULL,
    name  VARCHAR(100) NOT NULL,
    area  TEXT NOT NULL
);

-- An emergency call, as it was sent out; how its attempts ended is in call_attempts.
CREATE TABLE emergency_calls (
    node               VARCHAR(64) NOT NULL,
    boot               VARCHAR(64) NOT NULL,
    uniqueid           VARCHAR(64) NOT NULL,
    linkedid           VARCHAR(64) NOT NULL,
    called_at          TIMESTAMPTZ(3) NOT NULL,
    line_id            VARCHAR(64),
    device             VARCHAR(100) NOT NULL,
    device_address     VARCHAR(100) NOT NULL,
    account_id         VARCHAR(64),
    number             VARCHAR(100) NOT NULL,
    callback_number    VARCHAR(100) NOT NULL,
    location           TEXT NOT NULL,
    latitude           DOUBLE PRECISION,
    longitude          DOUBLE PRECISION,
    location_source    VARCHAR(100) NOT NULL,
    location_placed_at TIMESTAMPTZ(0),
    facility_id        BIGINT,
    facility_name      VARCHAR(200) NOT NULL,
    method             VARCHAR(64) NOT NULL,
    distance_m         BIGINT,
    source             VARCHAR(64) NOT NULL,
    shipped_at         TIMESTAMPTZ(0) NOT NULL,
    PRIMARY KEY (node, uniqueid, boot)
);

CREATE INDEX emergency_calls_callback ON emergency_calls (callback_number, called_at);

-- A notice of an emergency call, once it was delivered.
CREATE TABLE emergency_notices (
    node         VARCHAR(64) NOT NULL,
    boot         VARCHAR(64) NOT NULL,
    uniqueid     VARCHAR(64) NOT NULL,
    kind         VARCHAR(64) NOT NULL,
    address      VARCHAR(100) NOT NULL,
    created_at   TIMESTAMPTZ(3) NOT NULL,
    delivered_at TIMESTAMPTZ(3) NOT NULL,
    tries        BIGINT NOT NULL,
    last_error   TEXT NOT NULL,
    shipped_at   TIMESTAMPTZ(0) NOT NULL,
    PRIMARY KEY (node, uniqueid, boot, kind, address)
);

-- Who answered the questions of a call: central, replica, or (empty) nobody.
ALTER TABLE call_records ADD COLUMN source VARCHAR(64) NOT NULL DEFAULT '';

CREATE TRIGGER emergency_locations_changed AFTER INSERT OR UPDATE OR DELETE ON emergency_locations
FOR EACH ROW EXECUTE FUNCTION note_change('line_id', 'device');

CREATE TRIGGER emergency_contacts_changed AFTER INSERT OR UPDATE OR DELETE ON emergency_contacts
FOR EACH ROW EXECUTE FUNCTION note_change('account_id');

CREATE TRIGGER facilities_changed AFTER INSERT OR UPDATE OR DELETE ON facilities
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER facility_areas_changed AFTER INSERT OR UPDATE OR DELETE ON facility_areas
FOR EACH ROW EXECUTE FUNCTION note_change('facility_id');

CREATE TRIGGER facility_defaults_changed AFTER INSERT OR UPDATE OR DELETE ON facility_defaults
FOR EACH ROW EXECUTE FUNCTION note_change('state');

CREATE TRIGGER counties_changed AFTER INSERT OR UPDATE OR DELETE ON counties
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER emergency_calls_changed AFTER INSERT OR UPDATE OR DELETE ON emergency_calls
FOR EACH ROW EXECUTE FUNCTION note_change('node', 'uniqueid');
