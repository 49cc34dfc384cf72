-- Tandem, what changed: each change of what a decision needs, so that the nodes' replicas follow without copying all.
-- A row says which rows of which table may differ now: those with key_1 (and key_2, where the table's key has two parts) in
-- the columns that the triggers name. It does not say how: a replica reads them anew. Rates are noted where their version is complete;
-- a version that becomes complete is read as a whole. Rows are removed after a week, by the agents.
--
-- Where the server keeps a binary log, triggers need log_bin_trust_function_creators = ON, or the privilege SUPER.
CREATE TABLE data_changes (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    table_name VARCHAR(64) NOT NULL,
    key_1      VARCHAR(64) NOT NULL,
    key_2      VARCHAR(64) NOT NULL,
    changed_at DATETIME NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Tells one database from another: a replica of another one is of no use.
CREATE TABLE data_origin (
    id VARCHAR(64) NOT NULL PRIMARY KEY
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO data_origin (id) VALUES (REPLACE(UUID(), '-', ''));

CREATE TRIGGER currencies_inserted AFTER INSERT ON currencies
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('currencies', NEW.code, '', UTC_TIMESTAMP());

CREATE TRIGGER currencies_updated AFTER UPDATE ON currencies
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('currencies', NEW.code, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'currencies', OLD.code, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.code <> OLD.code);
END;

CREATE TRIGGER currencies_deleted AFTER DELETE ON currencies
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('currencies', OLD.code, '', UTC_TIMESTAMP());

CREATE TRIGGER decks_inserted AFTER INSERT ON decks
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('decks', NEW.id, '', UTC_TIMESTAMP());

CREATE TRIGGER decks_updated AFTER UPDATE ON decks
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('decks', NEW.id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'decks', OLD.id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER decks_deleted AFTER DELETE ON decks
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('decks', OLD.id, '', UTC_TIMESTAMP());

CREATE TRIGGER deck_versions_inserted AFTER INSERT ON deck_versions
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('deck_versions', CAST(NEW.id AS CHAR), '', UTC_TIMESTAMP());

CREATE TRIGGER deck_versions_updated AFTER UPDATE ON deck_versions
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('deck_versions', CAST(NEW.id AS CHAR), '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'deck_versions', CAST(OLD.id AS CHAR), '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER deck_versions_deleted AFTER DELETE ON deck_versions
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('deck_versions', CAST(OLD.id AS CHAR), '', UTC_TIMESTAMP());

CREATE TRIGGER accounts_inserted AFTER INSERT ON accounts
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('accounts', NEW.id, '', UTC_TIMESTAMP());

CREATE TRIGGER accounts_updated AFTER UPDATE ON accounts
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('accounts', NEW.id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'accounts', OLD.id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER accounts_deleted AFTER DELETE ON accounts
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('accounts', OLD.id, '', UTC_TIMESTAMP());

CREATE TRIGGER phone_lines_inserted AFTER INSERT ON phone_lines
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('phone_lines', NEW.id, '', UTC_TIMESTAMP());

CREATE TRIGGER phone_lines_updated AFTER UPDATE ON phone_lines
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('phone_lines', NEW.id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'phone_lines', OLD.id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER phone_lines_deleted AFTER DELETE ON phone_lines
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('phone_lines', OLD.id, '', UTC_TIMESTAMP());

CREATE TRIGGER ring_groups_inserted AFTER INSERT ON ring_groups
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_groups', NEW.id, '', UTC_TIMESTAMP());

CREATE TRIGGER ring_groups_updated AFTER UPDATE ON ring_groups
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_groups', NEW.id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'ring_groups', OLD.id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER ring_groups_deleted AFTER DELETE ON ring_groups
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_groups', OLD.id, '', UTC_TIMESTAMP());

CREATE TRIGGER ring_group_members_inserted AFTER INSERT ON ring_group_members
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_group_members', NEW.ring_group_id, '', UTC_TIMESTAMP());

CREATE TRIGGER ring_group_members_updated AFTER UPDATE ON ring_group_members
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_group_members', NEW.ring_group_id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'ring_group_members', OLD.ring_group_id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.ring_group_id <> OLD.ring_group_id);
END;

CREATE TRIGGER ring_group_members_deleted AFTER DELETE ON ring_group_members
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('ring_group_members', OLD.ring_group_id, '', UTC_TIMESTAMP());

CREATE TRIGGER numbers_inserted AFTER INSERT ON numbers
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('numbers', NEW.number, '', UTC_TIMESTAMP());

CREATE TRIGGER numbers_updated AFTER UPDATE ON numbers
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('numbers', NEW.number, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'numbers', OLD.number, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.number <> OLD.number);
END;

CREATE TRIGGER numbers_deleted AFTER DELETE ON numbers
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('numbers', OLD.number, '', UTC_TIMESTAMP());

CREATE TRIGGER extensions_inserted AFTER INSERT ON extensions
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('extensions', NEW.account_id, NEW.extension, UTC_TIMESTAMP());

CREATE TRIGGER extensions_updated AFTER UPDATE ON extensions
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('extensions', NEW.account_id, NEW.extension, UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'extensions', OLD.account_id, OLD.extension, UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.account_id <> OLD.account_id OR NEW.extension <> OLD.extension);
END;

CREATE TRIGGER extensions_deleted AFTER DELETE ON extensions
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('extensions', OLD.account_id, OLD.extension, UTC_TIMESTAMP());

CREATE TRIGGER classes_inserted AFTER INSERT ON classes
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('classes', NEW.name, '', UTC_TIMESTAMP());

CREATE TRIGGER classes_updated AFTER UPDATE ON classes
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('classes', NEW.name, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'classes', OLD.name, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.name <> OLD.name);
END;

CREATE TRIGGER classes_deleted AFTER DELETE ON classes
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('classes', OLD.name, '', UTC_TIMESTAMP());

CREATE TRIGGER class_prefixes_inserted AFTER INSERT ON class_prefixes
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('class_prefixes', NEW.prefix, '', UTC_TIMESTAMP());

CREATE TRIGGER class_prefixes_updated AFTER UPDATE ON class_prefixes
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('class_prefixes', NEW.prefix, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'class_prefixes', OLD.prefix, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.prefix <> OLD.prefix);
END;

CREATE TRIGGER class_prefixes_deleted AFTER DELETE ON class_prefixes
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('class_prefixes', OLD.prefix, '', UTC_TIMESTAMP());

CREATE TRIGGER account_permissions_inserted AFTER INSERT ON account_permissions
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('account_permissions', NEW.account_id, '', UTC_TIMESTAMP());

CREATE TRIGGER account_permissions_updated AFTER UPDATE ON account_permissions
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('account_permissions', NEW.account_id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'account_permissions', OLD.account_id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.account_id <> OLD.account_id);
END;

CREATE TRIGGER account_permissions_deleted AFTER DELETE ON account_permissions
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('account_permissions', OLD.account_id, '', UTC_TIMESTAMP());

CREATE TRIGGER line_permissions_inserted AFTER INSERT ON line_permissions
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('line_permissions', NEW.line_id, '', UTC_TIMESTAMP());

CREATE TRIGGER line_permissions_updated AFTER UPDATE ON line_permissions
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('line_permissions', NEW.line_id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'line_permissions', OLD.line_id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.line_id <> OLD.line_id);
END;

CREATE TRIGGER line_permissions_deleted AFTER DELETE ON line_permissions
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('line_permissions', OLD.line_id, '', UTC_TIMESTAMP());

CREATE TRIGGER gateways_inserted AFTER INSERT ON gateways
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('gateways', NEW.id, '', UTC_TIMESTAMP());

CREATE TRIGGER gateways_updated AFTER UPDATE ON gateways
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('gateways', NEW.id, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'gateways', OLD.id, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.id <> OLD.id);
END;

CREATE TRIGGER gateways_deleted AFTER DELETE ON gateways
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('gateways', OLD.id, '', UTC_TIMESTAMP());

CREATE TRIGGER blocked_prefixes_inserted AFTER INSERT ON blocked_prefixes
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('blocked_prefixes', NEW.prefix, '', UTC_TIMESTAMP());

CREATE TRIGGER blocked_prefixes_updated AFTER UPDATE ON blocked_prefixes
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('blocked_prefixes', NEW.prefix, '', UTC_TIMESTAMP());
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'blocked_prefixes', OLD.prefix, '', UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.prefix <> OLD.prefix);
END;

CREATE TRIGGER blocked_prefixes_deleted AFTER DELETE ON blocked_prefixes
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    VALUES ('blocked_prefixes', OLD.prefix, '', UTC_TIMESTAMP());

CREATE TRIGGER rates_inserted AFTER INSERT ON rates
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'rates', CAST(NEW.deck_version_id AS CHAR), NEW.prefix, UTC_TIMESTAMP()
    FROM DUAL WHERE EXISTS (SELECT 1 FROM deck_versions v WHERE v.id = NEW.deck_version_id AND v.complete);

CREATE TRIGGER rates_updated AFTER UPDATE ON rates
FOR EACH ROW
BEGIN
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'rates', CAST(NEW.deck_version_id AS CHAR), NEW.prefix, UTC_TIMESTAMP()
    FROM DUAL WHERE EXISTS (SELECT 1 FROM deck_versions v WHERE v.id = NEW.deck_version_id AND v.complete);
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'rates', CAST(OLD.deck_version_id AS CHAR), OLD.prefix, UTC_TIMESTAMP()
    FROM DUAL WHERE (NEW.deck_version_id <> OLD.deck_version_id OR NEW.prefix <> OLD.prefix) AND EXISTS (SELECT 1 FROM deck_versions v WHERE v.id = OLD.deck_version_id AND v.complete);
END;

CREATE TRIGGER rates_deleted AFTER DELETE ON rates
FOR EACH ROW
    INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
    SELECT 'rates', CAST(OLD.deck_version_id AS CHAR), OLD.prefix, UTC_TIMESTAMP()
    FROM DUAL WHERE EXISTS (SELECT 1 FROM deck_versions v WHERE v.id = OLD.deck_version_id AND v.complete);
