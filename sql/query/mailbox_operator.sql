-- The extension of a mailbox's operator and where it leads: $1 this node, $2 mailbox. One row; with a ring group, one for each member.
SELECT
    x.extension AS own_number,
    a.id AS own_account_id,
    a.status AS own_account_status,
    a.time_zone AS own_account_time_zone,
    a.max_calls AS own_account_max_calls,
    g.id AS target_group_id,
    g.strategy AS target_strategy,
    g.ring_seconds AS target_group_ring_seconds,
    t.id AS target_line_id,
    t.status AS target_line_status,
    ta.status AS target_account_status,
    t.max_calls AS target_max_calls,
    CASE
        WHEN t.max_calls > 0 THEN
            (SELECT COUNT(*) FROM live_calls_now v WHERE v.line_id = t.id AND v.direction = 'takes' AND v.node <> $1)
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
FROM mailboxes b
JOIN accounts a ON a.id = b.account_id
JOIN extensions x ON x.account_id = b.account_id AND x.extension = b.operator
LEFT JOIN ring_groups g ON g.id = x.ring_group_id
LEFT JOIN ring_group_members m ON m.ring_group_id = g.id
LEFT JOIN phone_lines t ON t.id = COALESCE(x.line_id, m.line_id)
LEFT JOIN accounts ta ON ta.id = t.account_id
LEFT JOIN line_features f ON f.line_id = t.id
WHERE b.id = $2
ORDER BY m.position
