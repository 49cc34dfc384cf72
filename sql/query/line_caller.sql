-- Who calls, and where the dialled extension of the account leads: $1 to $3 this node, $4 extension, $5 line.
-- One row; with a ring group, one for each member. What other nodes have of a limit is counted only where there is one.
SELECT
    l.id AS line_id,
    l.status AS line_status,
    l.name AS line_name,
    l.country,
    l.area_code,
    l.outside_prefix,
    (SELECT MIN(o.extension) FROM extensions o WHERE o.account_id = a.id AND o.line_id = l.id) AS own_extension,
    l.caller_number AS line_caller_number,
    l.privacy,
    l.max_calls AS line_max_calls,
    CASE
        WHEN l.max_calls > 0 THEN
            (SELECT COUNT(*) FROM live_calls_now v WHERE v.line_id = l.id AND v.direction = 'makes' AND v.node <> $1)
        ELSE 0
    END AS line_calls_elsewhere,
    a.id AS account_id,
    a.status AS account_status,
    a.time_zone AS account_time_zone,
    a.caller_number AS account_caller_number,
    a.max_calls AS account_max_calls,
    CASE
        WHEN a.max_calls > 0 THEN
            (SELECT COUNT(*) FROM live_calls_now v WHERE v.account_id = a.id AND v.direction = 'makes' AND v.node <> $2)
        ELSE 0
    END AS account_calls_elsewhere,
    a.sell_deck_id,
    a.allow_loss,
    ac.value_micros AS account_currency_value_micros,
    a.max_per_minute_micros,
    a.max_connect_fee_micros,
    COALESCE(lp.allowed, ap.allowed, c.allowed_by_default, FALSE) AS internal_allowed,
    g.id AS target_group_id,
    g.strategy AS target_strategy,
    g.ring_seconds AS target_group_ring_seconds,
    t.id AS target_line_id,
    t.status AS target_line_status,
    ta.status AS target_account_status,
    t.max_calls AS target_max_calls,
    CASE
        WHEN t.max_calls > 0 THEN
            (SELECT COUNT(*) FROM live_calls_now v WHERE v.line_id = t.id AND v.direction = 'takes' AND v.node <> $3)
        ELSE 0
    END AS target_calls_elsewhere,
    t.ring_seconds AS target_ring_seconds,
    f.do_not_disturb AS target_do_not_disturb,
    f.forward_always AS target_forward_always,
    f.forward_busy AS target_forward_busy,
    f.forward_unanswered AS target_forward_unanswered,
    f.forward_unreachable AS target_forward_unreachable,
    f.forward_shows_caller AS target_forward_shows_caller,
    f.reject_anonymous AS target_reject_anonymous,
    f.screening AS target_screening,
    f.find_me AS target_find_me,
    (SELECT COUNT(*) FROM blocked_callers k WHERE k.line_id = t.id) AS target_blocked_callers,
    COALESCE(x.mailbox_id, g.mailbox_id, CASE WHEN g.id IS NULL THEN t.mailbox_id END) AS target_mailbox_id,
    x.menu_id AS target_menu_id,
    x.directory_id AS target_directory_id,
    x.queue AS target_queue,
    x.conference AS target_conference
FROM phone_lines l
JOIN accounts a ON a.id = l.account_id
JOIN currencies ac ON ac.code = a.currency
LEFT JOIN classes c ON c.name = 'internal'
LEFT JOIN line_permissions lp ON lp.line_id = l.id AND lp.class_name = 'internal'
LEFT JOIN account_permissions ap ON ap.account_id = a.id AND ap.class_name = 'internal'
LEFT JOIN extensions x ON x.account_id = a.id AND x.extension = $4
LEFT JOIN ring_groups g ON g.id = x.ring_group_id
LEFT JOIN ring_group_members m ON m.ring_group_id = g.id
LEFT JOIN phone_lines t ON t.id = COALESCE(x.line_id, m.line_id)
LEFT JOIN accounts ta ON ta.id = t.account_id
LEFT JOIN line_features f ON f.line_id = t.id
WHERE l.id = $5
ORDER BY m.position
