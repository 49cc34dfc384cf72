-- A menu with all that a call through it needs: $1 menu. Each row has the menu's own columns, and one of its options, or of its prompts, or of the hours of its
-- conditions' schedules, or of their holidays; or, where extensions may be keyed in, the length of the longest that begins with a digit (letters come after digits in every
-- collation).
SELECT
    m.id AS menu_id,
    m.account_id,
    a.status AS account_status,
    a.time_zone AS account_time_zone,
    m.name,
    m.entry,
    m.language,
    m.direct_dial,
    m.timeout_seconds,
    m.between_ms,
    m.max_timeouts,
    m.max_invalid,
    m.operator,
    m.line_id,
    x.digit AS extension_digit,
    CASE WHEN x.part = 5 THEN
        (SELECT CAST(MAX(LENGTH(e.extension)) AS BIGINT) FROM extensions e
            WHERE e.account_id = m.account_id AND e.extension >= x.digit AND e.extension < x.beyond) END AS longest_extension,
    o.digits AS option_digits,
    o.action AS option_action,
    o.target AS option_target,
    q.digits AS said_digits,
    p.id AS prompt_id,
    p.number AS prompt_number,
    p.name AS prompt_name,
    p.sound,
    p.text,
    r.audio_id,
    r.place,
    r.format,
    r.bytes,
    r.duration_ms,
    c.position AS condition_position,
    c.schedule_id,
    c.during,
    c.action AS condition_action,
    c.target AS condition_target,
    s.name AS schedule_name,
    s.time_zone AS schedule_time_zone,
    h.weekday,
    h.opens,
    h.closes,
    d.holiday,
    d.name AS holiday_name,
    d.opens AS holiday_opens,
    d.closes AS holiday_closes
FROM menus m
JOIN accounts a ON a.id = m.account_id
JOIN (
    SELECT 1 AS part, '' AS digit, '' AS beyond UNION ALL SELECT 2, '', '' UNION ALL SELECT 3, '', '' UNION ALL SELECT 4, '', ''
    UNION ALL SELECT 5, '0', '0a' UNION ALL SELECT 5, '1', '1a' UNION ALL SELECT 5, '2', '2a' UNION ALL SELECT 5, '3', '3a' UNION ALL SELECT 5, '4', '4a'
    UNION ALL SELECT 5, '5', '5a' UNION ALL SELECT 5, '6', '6a' UNION ALL SELECT 5, '7', '7a' UNION ALL SELECT 5, '8', '8a' UNION ALL SELECT 5, '9', '9a'
) x ON x.part < 5 OR m.direct_dial
LEFT JOIN menu_options o ON x.part = 1 AND o.menu_id = m.id
LEFT JOIN menu_prompts q ON x.part = 2 AND q.menu_id = m.id
LEFT JOIN prompts p ON p.id = q.prompt_id
LEFT JOIN prompt_recordings r ON r.prompt_id = p.id
LEFT JOIN menu_conditions c ON x.part IN (3, 4) AND c.menu_id = m.id
LEFT JOIN schedules s ON s.id = c.schedule_id
LEFT JOIN schedule_hours h ON x.part = 3 AND h.schedule_id = s.id
LEFT JOIN schedule_holidays d ON x.part = 4 AND d.schedule_id = s.id
WHERE m.id = $1
ORDER BY o.digits, q.digits, q.position, c.position, h.weekday, h.opens, d.holiday
