-- A small provider in plain SQL that all three databases take: for tests of decisions.
INSERT INTO currencies (code, value_micros) VALUES ('EUR', 1080000);

INSERT INTO decks (id, name, currency) VALUES
    ('retail', 'What customers pay', 'USD'), ('cheap', 'Carrier A', 'USD'), ('dear', 'Carrier B', 'EUR');
INSERT INTO deck_versions (id, deck_id, effective_at, imported_at, complete) VALUES
    (1, 'retail', '2026-01-01 00:00:00', '2026-01-01 00:00:00', TRUE),
    (2, 'cheap', '2026-01-01 00:00:00', '2026-01-01 00:00:00', TRUE),
    (3, 'dear', '2026-01-01 00:00:00', '2026-01-01 00:00:00', TRUE),
    -- Carrier A raises its prices in 2030; an import that was never finished is not seen.
    (4, 'cheap', '2030-01-01 00:00:00', '2026-01-01 00:00:00', TRUE),
    (5, 'cheap', '2026-02-01 00:00:00', '2026-01-01 00:00:00', FALSE);
INSERT INTO rates
    (deck_version_id, prefix, effective_at, destination, per_minute_micros, connect_fee_micros, initial_seconds, increment_seconds, blocked)
VALUES
    (1, '1', '2026-01-01 00:00:00', 'North America', 20000, 0, 60, 6, FALSE),
    (1, '1900', '2026-01-01 00:00:00', 'Premium', 900000, 0, 60, 60, FALSE),
    (1, '44', '2026-01-01 00:00:00', 'United Kingdom', 30000, 0, 60, 6, FALSE),
    (1, '49', '2026-01-01 00:00:00', 'Germany', 5000, 0, 60, 6, FALSE),
    (1, '33', '2026-01-01 00:00:00', 'France', 30000, 0, 60, 6, TRUE),
    (1, '881', '2026-01-01 00:00:00', 'Satellite', 9000000, 0, 60, 60, FALSE),
    (2, '1', '2026-01-01 00:00:00', 'North America', 4000, 0, 6, 6, FALSE),
    (2, '1512', '2026-01-01 00:00:00', 'Austin', 1450, 0, 6, 6, FALSE),
    (2, '44', '2026-01-01 00:00:00', 'United Kingdom', 12000, 0, 1, 1, FALSE),
    (2, '49', '2026-01-01 00:00:00', 'Germany', 12000, 0, 1, 1, FALSE),
    (2, '881', '2026-01-01 00:00:00', 'Satellite', 5000000, 0, 1, 1, FALSE),
    (3, '1', '2026-01-01 00:00:00', 'North America', 6000, 0, 1, 1, FALSE),
    (3, '1416', '2026-01-01 00:00:00', 'Toronto', 1000, 0, 1, 1, TRUE),
    (3, '44', '2026-01-01 00:00:00', 'United Kingdom', 9000, 0, 1, 1, FALSE),
    (4, '1', '2030-01-01 00:00:00', 'North America', 19000, 0, 6, 6, FALSE);

INSERT INTO accounts
    (id, name, status, currency, caller_number, max_calls, sell_deck_id, allow_loss, max_per_minute_micros, created_at)
VALUES
    ('acme', 'Acme "Rockets", Inc.', 'active', 'USD', '12145550100', 20, 'retail', FALSE, 1000000, '2026-01-01 00:00:00'),
    ('late', 'Late Payers', 'suspended', 'USD', NULL, 0, 'retail', FALSE, NULL, '2026-01-01 00:00:00'),
    ('free', 'No price', 'active', 'EUR', NULL, 0, NULL, FALSE, 5000, '2026-01-01 00:00:00');

INSERT INTO phone_lines
    (id, account_id, name, status, country, area_code, outside_prefix, caller_number, privacy, max_calls, ring_seconds, created_at)
VALUES
    ('1001', 'acme', 'Alice "A", O''Hara ${SHELL(id)}', 'active', 'US', '214', '9', '12145550101', FALSE, 2, 25, '2026-01-01 00:00:00'),
    ('1002', 'acme', 'Bob', 'active', 'US', '214', '9', NULL, FALSE, 0, 25, '2026-01-01 00:00:00'),
    ('1003', 'acme', 'Carol', 'suspended', 'US', '214', '9', NULL, FALSE, 0, 25, '2026-01-01 00:00:00'),
    ('1004', 'acme', 'Dave', 'active', 'US', '214', '9', NULL, TRUE, 0, 25, '2026-01-01 00:00:00'),
    ('2001', 'late', 'Eve', 'active', 'US', '512', '', NULL, FALSE, 0, 25, '2026-01-01 00:00:00'),
    ('3001', 'free', 'Fay', 'active', 'US', '512', '', NULL, FALSE, 0, 25, '2026-01-01 00:00:00');

INSERT INTO ring_groups (id, account_id, name, strategy, ring_seconds) VALUES
    ('sales', 'acme', 'Sales', 'together', 20), ('support', 'acme', 'Support', 'in_order', 12),
    ('nobody', 'acme', 'Nobody', 'together', 20);
INSERT INTO ring_group_members (ring_group_id, position, line_id) VALUES
    ('sales', 2, '1002'), ('sales', 1, '1001'), ('sales', 3, '1003'),
    ('support', 1, '1002'), ('support', 2, '1004'), ('nobody', 1, '1003');

INSERT INTO extensions (account_id, extension, line_id, ring_group_id) VALUES
    ('acme', '101', '1001', NULL), ('acme', '102', '1002', NULL), ('acme', '103', '1003', NULL),
    ('acme', '104', '1004', NULL), ('acme', '600', NULL, 'sales'), ('acme', '601', NULL, 'support'),
    ('acme', '602', NULL, 'nobody');

INSERT INTO numbers (number, account_id, line_id, ring_group_id) VALUES
    ('12145550100', 'acme', NULL, 'sales'), ('12145550101', 'acme', '1001', NULL), ('12145550109', 'acme', NULL, NULL),
    ('15125550130', 'free', '3001', NULL), ('15125550120', 'late', '2001', NULL);

INSERT INTO account_permissions (account_id, class_name, allowed) VALUES
    ('acme', 'international', TRUE), ('free', 'international', TRUE);
INSERT INTO line_permissions (line_id, class_name, allowed) VALUES
    ('1002', 'international', FALSE), ('1002', 'premium', TRUE), ('1004', 'internal', FALSE);
INSERT INTO classes (name, description, allowed_by_default) VALUES ('satellite', 'Satellite phones', TRUE);
INSERT INTO class_prefixes (prefix, class_name) VALUES ('881', 'satellite'), ('1512976', 'premium');
INSERT INTO blocked_prefixes (prefix, account_id, reason) VALUES
    ('1268', NULL, 'Antigua: one-ring fraud'), ('1303', 'acme', 'on request');

INSERT INTO gateways
    (id, name, status, endpoint, deck_id, number_format, country, dial_prefix, max_calls, priority, weight, ring_seconds, next_on_forbidden, created_at)
VALUES
    ('gw-a', 'Carrier A', 'active', 'gw-a', 'cheap', 'plus_e164', 'US', '', 30, 0, 1, 40, FALSE, '2026-01-01 00:00:00'),
    ('gw-b', 'Carrier B', 'active', 'carrier-b', 'dear', 'national', 'US', '7701', 0, 0, 1, 50, TRUE, '2026-01-01 00:00:00'),
    ('gw-c', 'Carrier C', 'suspended', 'gw-c', 'cheap', 'e164', 'US', '', 0, 0, 1, 40, FALSE, '2026-01-01 00:00:00');
