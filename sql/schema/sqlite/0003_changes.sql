-- Tandem, what changed: each change of what a decision needs, so that the nodes' replicas follow without copying all.
-- A row says which rows of which table may differ now: those with key_1 (and key_2, where the table's key has two parts) in
-- the columns that the triggers name. It does not say how: a replica reads them anew. Rates are noted where their version is complete;
-- a version that becomes complete is read as a whole. Rows are removed after a week, by the agents.
CREATE TABLE data_changes (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    table_name TEXT NOT NULL,
    key_1      TEXT NOT NULL,
    key_2      TEXT NOT NULL,
    changed_at TEXT NOT NULL
);

-- Tells one database from another: a replica of another one is of no use.
CREATE TABLE data_origin (
    id TEXT NOT NULL PRIMARY KEY
);

INSERT INTO data_origin (id) VALUES (lower(hex(randomblob(16))));

CREATE TRIGGER currencies_inserted AFTER INSERT ON currencies
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('currencies', NEW.code, '', datetime('now'));
END;

CREATE TRIGGER currencies_updated AFTER UPDATE ON currencies
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('currencies', NEW.code, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'currencies', OLD.code, '', datetime('now')
    WHERE (NEW.code <> OLD.code);
END;

CREATE TRIGGER currencies_deleted AFTER DELETE ON currencies
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('currencies', OLD.code, '', datetime('now'));
END;

CREATE TRIGGER decks_inserted AFTER INSERT ON decks
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('decks', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER decks_updated AFTER UPDATE ON decks
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('decks', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'decks', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER decks_deleted AFTER DELETE ON decks
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('decks', OLD.id, '', datetime('now'));
END;

CREATE TRIGGER deck_versions_inserted AFTER INSERT ON deck_versions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('deck_versions', CAST(NEW.id AS TEXT), '', datetime('now'));
END;

CREATE TRIGGER deck_versions_updated AFTER UPDATE ON deck_versions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('deck_versions', CAST(NEW.id AS TEXT), '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'deck_versions', CAST(OLD.id AS TEXT), '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER deck_versions_deleted AFTER DELETE ON deck_versions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('deck_versions', CAST(OLD.id AS TEXT), '', datetime('now'));
END;

CREATE TRIGGER accounts_inserted AFTER INSERT ON accounts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('accounts', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER accounts_updated AFTER UPDATE ON accounts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('accounts', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'accounts', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER accounts_deleted AFTER DELETE ON accounts
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('accounts', OLD.id, '', datetime('now'));
END;

CREATE TRIGGER phone_lines_inserted AFTER INSERT ON phone_lines
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('phone_lines', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER phone_lines_updated AFTER UPDATE ON phone_lines
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('phone_lines', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'phone_lines', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER phone_lines_deleted AFTER DELETE ON phone_lines
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('phone_lines', OLD.id, '', datetime('now'));
END;

CREATE TRIGGER ring_groups_inserted AFTER INSERT ON ring_groups
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_groups', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER ring_groups_updated AFTER UPDATE ON ring_groups
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_groups', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'ring_groups', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER ring_groups_deleted AFTER DELETE ON ring_groups
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_groups', OLD.id, '', datetime('now'));
END;

CREATE TRIGGER ring_group_members_inserted AFTER INSERT ON ring_group_members
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_group_members', NEW.ring_group_id, '', datetime('now'));
END;

CREATE TRIGGER ring_group_members_updated AFTER UPDATE ON ring_group_members
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_group_members', NEW.ring_group_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'ring_group_members', OLD.ring_group_id, '', datetime('now')
    WHERE (NEW.ring_group_id <> OLD.ring_group_id);
END;

CREATE TRIGGER ring_group_members_deleted AFTER DELETE ON ring_group_members
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_group_members', OLD.ring_group_id, '', datetime('now'));
END;

CREATE TRIGGER numbers_inserted AFTER INSERT ON numbers
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('numbers', NEW.number, '', datetime('now'));
END;

CREATE TRIGGER numbers_updated AFTER UPDATE ON numbers
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('numbers', NEW.number, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'numbers', OLD.number, '', datetime('now')
    WHERE (NEW.number <> OLD.number);
END;

CREATE TRIGGER numbers_deleted AFTER DELETE ON numbers
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('numbers', OLD.number, '', datetime('now'));
END;

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

CREATE TRIGGER classes_inserted AFTER INSERT ON classes
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('classes', NEW.name, '', datetime('now'));
END;

CREATE TRIGGER classes_updated AFTER UPDATE ON classes
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('classes', NEW.name, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'classes', OLD.name, '', datetime('now')
    WHERE (NEW.name <> OLD.name);
END;

CREATE TRIGGER classes_deleted AFTER DELETE ON classes
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('classes', OLD.name, '', datetime('now'));
END;

CREATE TRIGGER class_prefixes_inserted AFTER INSERT ON class_prefixes
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('class_prefixes', NEW.prefix, '', datetime('now'));
END;

CREATE TRIGGER class_prefixes_updated AFTER UPDATE ON class_prefixes
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('class_prefixes', NEW.prefix, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'class_prefixes', OLD.prefix, '', datetime('now')
    WHERE (NEW.prefix <> OLD.prefix);
END;

CREATE TRIGGER class_prefixes_deleted AFTER DELETE ON class_prefixes
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('class_prefixes', OLD.prefix, '', datetime('now'));
END;

CREATE TRIGGER account_permissions_inserted AFTER INSERT ON account_permissions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('account_permissions', NEW.account_id, '', datetime('now'));
END;

CREATE TRIGGER account_permissions_updated AFTER UPDATE ON account_permissions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('account_permissions', NEW.account_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'account_permissions', OLD.account_id, '', datetime('now')
    WHERE (NEW.account_id <> OLD.account_id);
END;

CREATE TRIGGER account_permissions_deleted AFTER DELETE ON account_permissions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('account_permissions', OLD.account_id, '', datetime('now'));
END;

CREATE TRIGGER line_permissions_inserted AFTER INSERT ON line_permissions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('line_permissions', NEW.line_id, '', datetime('now'));
END;

CREATE TRIGGER line_permissions_updated AFTER UPDATE ON line_permissions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('line_permissions', NEW.line_id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'line_permissions', OLD.line_id, '', datetime('now')
    WHERE (NEW.line_id <> OLD.line_id);
END;

CREATE TRIGGER line_permissions_deleted AFTER DELETE ON line_permissions
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('line_permissions', OLD.line_id, '', datetime('now'));
END;

CREATE TRIGGER gateways_inserted AFTER INSERT ON gateways
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('gateways', NEW.id, '', datetime('now'));
END;

CREATE TRIGGER gateways_updated AFTER UPDATE ON gateways
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('gateways', NEW.id, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'gateways', OLD.id, '', datetime('now')
    WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER gateways_deleted AFTER DELETE ON gateways
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('gateways', OLD.id, '', datetime('now'));
END;

CREATE TRIGGER blocked_prefixes_inserted AFTER INSERT ON blocked_prefixes
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('blocked_prefixes', NEW.prefix, '', datetime('now'));
END;

CREATE TRIGGER blocked_prefixes_updated AFTER UPDATE ON blocked_prefixes
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('blocked_prefixes', NEW.prefix, '', datetime('now'));
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'blocked_prefixes', OLD.prefix, '', datetime('now')
    WHERE (NEW.prefix <> OLD.prefix);
END;

CREATE TRIGGER blocked_prefixes_deleted AFTER DELETE ON blocked_prefixes
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('blocked_prefixes', OLD.prefix, '', datetime('now'));
END;

CREATE TRIGGER rates_inserted AFTER INSERT ON rates
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'rates', CAST(NEW.deck_version_id AS TEXT), NEW.prefix, datetime('now')
    WHERE EXISTS (SELECT 1 FROM deck_versions v WHERE v.id = NEW.deck_version_id AND v.complete);
END;

CREATE TRIGGER rates_updated AFTER UPDATE ON rates
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'rates', CAST(NEW.deck_version_id AS TEXT), NEW.prefix, datetime('now')
    WHERE EXISTS (SELECT 1 FROM deck_versions v WHERE v.id = NEW.deck_version_id AND v.complete);
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'rates', CAST(OLD.deck_version_id AS TEXT), OLD.prefix, datetime('now')
    WHERE (NEW.deck_version_id <> OLD.deck_version_id OR NEW.prefix <> OLD.prefix) AND EXISTS (SELECT 1 FROM deck_versions v WHERE v.id = OLD.deck_version_id AND v.complete);
END;

CREATE TRIGGER rates_deleted AFTER DELETE ON rates
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'rates', CAST(OLD.deck_version_id AS TEXT), OLD.prefix, datetime('now')
    WHERE EXISTS (SELECT 1 FROM deck_versions v WHERE v.id = OLD.deck_version_id AND v.complete);
END;
