-- Tandem, directories: whom callers find by keying in the letters of a name. The people of an account are its mailboxes.

-- department is what a directory may be limited to. extension is called when somebody is chosen; without one the mailbox's number is.
-- directory_name is the name that directory_names was computed from, '' for who is hidden or not active: where it should be another, the agents compute
-- it anew, within seconds.
ALTER TABLE mailboxes ADD COLUMN department VARCHAR(100) NOT NULL DEFAULT '';
ALTER TABLE mailboxes ADD COLUMN extension VARCHAR(32);
ALTER TABLE mailboxes ADD COLUMN directory_name VARCHAR(100);

-- The keys of each name that can be found (ITU-T E.161: 7 is PQRS, 9 is WXYZ), from the beginning of each of its words on; computed by the agents, and
-- theirs alone. part: first and last word, or other; a name of one word is both. spelling (a-z, 0-9) is what the digits stand for, then what stands
-- before it: names are told in its order. The index has all that a search looks at.
CREATE TABLE directory_names (
    mailbox_id VARCHAR(64) NOT NULL,
    account_id VARCHAR(64) NOT NULL,
    department VARCHAR(100) NOT NULL,
    part       VARCHAR(32) NOT NULL CHECK (part IN ('first', 'last', 'other')),
    digits     VARCHAR(32) NOT NULL,
    spelling   VARCHAR(64) NOT NULL,
    PRIMARY KEY (mailbox_id, part, digits),
    FOREIGN KEY (mailbox_id) REFERENCES mailboxes (id) ON DELETE CASCADE
);

CREATE INDEX directory_names_by_digits ON directory_names (account_id, digits, part, department, spelling, mailbox_id);

-- A directory that callers are led to. department: whose people it has, '' for everybody. search: by last, first, or both names; letters: how many are
-- asked for. presentation: one at a time, or a menu of up to eight. operator is the extension of key 0, '' for none.
CREATE TABLE directories (
    id            VARCHAR(64) NOT NULL PRIMARY KEY,
    account_id    VARCHAR(64) NOT NULL,
    name          VARCHAR(100) NOT NULL,
    department    VARCHAR(100) NOT NULL DEFAULT '',
    search        VARCHAR(32) NOT NULL DEFAULT 'both' CHECK (search IN ('last', 'first', 'both')),
    letters       INT NOT NULL DEFAULT 3 CHECK (letters BETWEEN 1 AND 9),
    presentation  VARCHAR(32) NOT NULL DEFAULT 'one' CHECK (presentation IN ('one', 'menu')),
    say_extension BOOLEAN NOT NULL DEFAULT FALSE,
    operator      VARCHAR(32) NOT NULL DEFAULT '',
    language      VARCHAR(32) NOT NULL DEFAULT '',
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);

INSERT INTO job_leases (job, node, until) VALUES ('directory-names', '', '2000-01-01 00:00:00+00');

CREATE TRIGGER directory_names_changed AFTER INSERT OR UPDATE OR DELETE ON directory_names
FOR EACH ROW EXECUTE FUNCTION note_change('mailbox_id');

CREATE TRIGGER directories_changed AFTER INSERT OR UPDATE OR DELETE ON directories
FOR EACH ROW EXECUTE FUNCTION note_change('id');
