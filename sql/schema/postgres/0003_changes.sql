-- Tandem, what changed: each change of what a decision needs, so that the nodes' replicas follow without copying all.
-- A row says which rows of which table may differ now: those with key_1 (and key_2, where the table's key has two parts) in
-- the columns that the triggers name. It does not say how: a replica reads them anew. Rates are noted where their version is complete;
-- a version that becomes complete is read as a whole. Rows are removed after a week, by the agents.
CREATE TABLE data_changes (
    id         BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name VARCHAR(64) NOT NULL,
    key_1      VARCHAR(64) NOT NULL,
    key_2      VARCHAR(64) NOT NULL,
    changed_at TIMESTAMPTZ(0) NOT NULL
);

-- Tells one database from another: a replica of another one is of no use.
CREATE TABLE data_origin (
    id VARCHAR(64) NOT NULL PRIMARY KEY
);

INSERT INTO data_origin (id) VALUES (replace(CAST(gen_random_uuid() AS TEXT), '-', ''));

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    old_1 text := old_row ->> TG_ARGV[0];
    old_2 text := CASE WHEN TG_NARGS > 1 THEN old_row ->> TG_ARGV[1] ELSE '' END;
    new_1 text := new_row ->> TG_ARGV[0];
    new_2 text := CASE WHEN TG_NARGS > 1 THEN new_row ->> TG_ARGV[1] ELSE '' END;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO data_changes (table_name, key_1, key_2, changed_at) VALUES (TG_TABLE_NAME, old_1, old_2, now());
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND (new_1, new_2) IS DISTINCT FROM (old_1, old_2) THEN
        INSERT INTO data_changes (table_name, key_1, key_2, changed_at) VALUES (TG_TABLE_NAME, new_1, new_2, now());
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_rate_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
        SELECT 'rates', CAST(v.id AS TEXT), OLD.prefix, now()
        FROM deck_versions v WHERE v.id = OLD.deck_version_id AND v.complete;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO data_changes (table_name, key_1, key_2, changed_at)
        SELECT 'rates', CAST(v.id AS TEXT), NEW.prefix, now()
        FROM deck_versions v WHERE v.id = NEW.deck_version_id AND v.complete;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER currencies_changed AFTER INSERT OR UPDATE OR DELETE ON currencies
FOR EACH ROW EXECUTE FUNCTION note_change('code');

CREATE TRIGGER decks_changed AFTER INSERT OR UPDATE OR DELETE ON decks
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER deck_versions_changed AFTER INSERT OR UPDATE OR DELETE ON deck_versions
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER accounts_changed AFTER INSERT OR UPDATE OR DELETE ON accounts
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER phone_lines_changed AFTER INSERT OR UPDATE OR DELETE ON phone_lines
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER ring_groups_changed AFTER INSERT OR UPDATE OR DELETE ON ring_groups
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER ring_group_members_changed AFTER INSERT OR UPDATE OR DELETE ON ring_group_members
FOR EACH ROW EXECUTE FUNCTION note_change('ring_group_id');

CREATE TRIGGER numbers_changed AFTER INSERT OR UPDATE OR DELETE ON numbers
FOR EACH ROW EXECUTE FUNCTION note_change('number');

CREATE TRIGGER extensions_changed AFTER INSERT OR UPDATE OR DELETE ON extensions
FOR EACH ROW EXECUTE FUNCTION note_change('account_id', 'extension');

CREATE TRIGGER classes_changed AFTER INSERT OR UPDATE OR DELETE ON classes
FOR EACH ROW EXECUTE FUNCTION note_change('name');

CREATE TRIGGER class_prefixes_changed AFTER INSERT OR UPDATE OR DELETE ON class_prefixes
FOR EACH ROW EXECUTE FUNCTION note_change('prefix');

CREATE TRIGGER account_permissions_changed AFTER INSERT OR UPDATE OR DELETE ON account_permissions
FOR EACH ROW EXECUTE FUNCTION note_change('account_id');

CREATE TRIGGER line_permissions_changed AFTER INSERT OR UPDATE OR DELETE ON line_permissions
FOR EACH ROW EXECUTE FUNCTION note_change('line_id');

CREATE TRIGGER gateways_changed AFTER INSERT OR UPDATE OR DELETE ON gateways
FOR EACH ROW EXECUTE FUNCTION note_change('id');

CREATE TRIGGER blocked_prefixes_changed AFTER INSERT OR UPDATE OR DELETE ON blocked_prefixes
FOR EACH ROW EXECUTE FUNCTION note_change('prefix');

CREATE TRIGGER rates_changed AFTER INSERT OR UPDATE OR DELETE ON rates
FOR EACH ROW EXECUTE FUNCTION note_rate_change();
