-- Tandem, features: who may use them, as classes beside those of numbers, for which permissions are given in the same way; and two more codes, where
-- their digits are free.

INSERT INTO classes (name, description, allowed_by_default)
VALUES
    ('feature-forwarding', 'Codes: forwarding', TRUE),
    ('feature-find-me', 'Codes: find me', TRUE),
    ('feature-do-not-disturb', 'Codes: do not disturb', TRUE),
    ('feature-caller-id', 'Codes: withholding the number', TRUE),
    ('feature-screening', 'Codes: call screening', TRUE),
    ('feature-block-list', 'Codes: callers who do not get through', TRUE),
    ('feature-speed-dial', 'Codes: speed dial', TRUE),
    ('feature-last-call', 'Codes: who called last', TRUE);

INSERT INTO feature_codes (code, feature)
SELECT n.code, n.feature
FROM (SELECT '*76' AS code, 'status' AS feature UNION ALL SELECT '*74', 'speed-dial-set') n
WHERE NOT EXISTS (SELECT 1 FROM feature_codes f WHERE f.code = n.code);
