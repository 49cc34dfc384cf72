-- Where a number can go. The base is one row, the number's class. To it is joined the number if it is ours, with
-- its target; else, for each deck in play, the version in force and every rate whose prefix fits, one lookup
-- by key for each prefix length.
-- $1 number, $2 account, $3 presented, $4 account, $5 and $6 this node, $7 line, $8 account, $9 number, $10 sell deck, $11 time,
-- $12 time, $13 number, $14 time, $15 time, $16 number, $17 class by the numbering plan.
SELECT
    c.name AS class,
    COALESCE(lp.allowed, ap.allowed, c.allowed_by_default) AS allowed,
    (
        SELECT b.reason
        FROM prefix_lengths bl
        JOIN blocked_prefixes b ON b.prefix = substr($1, 1, bl.length)
        WHERE b.account_id IS NULL OR b.account_id = $2
        ORDER BY bl.length DESC
        LIMIT 1
    ) AS blocked_reason,
    (SELECT COUNT(*) FROM numbers o WHERE o.number = $3 AND o.account_id = $4) AS presented_owned,
    n.number AS own_number,
    na.id AS own_account_id,
    na.status AS own_account_status,
    na.time_zone AS own_account_time_zone,
    na.max_calls AS own_account_max_calls,
    rg.id AS target_group_id,
    rg.strategy AS target_strategy,
    rg.ring_seconds AS target_group_ring_seconds,
    t.id AS target_line_id,
    t.status AS target_line_status,
    ta.status AS target_account_status,
    t.max_calls AS target_max_calls,
    CASE
        WHEN t.max_calls > 0 THEN
            (SELECT COUNT(*) FROM live_calls_now v WHERE v.line_id = t.id AND v.direction = 'takes' AND v.node <> $5)
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
    COALESCE(n.mailbox_id, rg.mailbox_id, CASE WHEN rg.id IS NULL THEN t.mailbox_id END) AS target_mailbox_id,
    n.menu_id AS target_menu_id,
    n.directory_id AS target_directory_id,
    n.queue AS target_queue,
    n.conference AS target_conference,
    d.id AS deck_id,
    r.deck_version_id,
    r.prefix,
    r.destination,
    r.per_minute_micros,
    r.connect_fee_micros,
    r.initial_seconds,
    r.increment_seconds,
    r.blocked,
    cu.code AS currency,
    cu.value_micros AS currency_value_micros,
    w.id AS gateway_id,
    w.status AS gateway_status,
    w.endpoint,
    w.number_format,
    w.country AS gateway_country,
    w.dial_prefix,
    w.max_calls AS gateway_max_calls,
    CASE
        WHEN w.max_calls > 0 THEN
            (SELECT COUNT(*) FROM live_calls_now v WHERE v.gateway_id = w.id AND v.direction = 'takes' AND v.node <> $6)
        ELSE 0
    END AS gateway_calls_elsewhere,
    w.priority,
    w.weight,
    w.ring_seconds AS gateway_ring_seconds,
    w.next_on_forbidden
FROM classes c
LEFT JOIN line_permissions lp ON lp.class_name = c.name AND lp.line_id = $7
LEFT JOIN account_permissions ap ON ap.class_name = c.name AND ap.account_id = $8
LEFT JOIN numbers n ON n.number = $9
LEFT JOIN accounts na ON na.id = n.account_id
LEFT JOIN ring_groups rg ON rg.id = n.ring_group_id
LEFT JOIN ring_group_members m ON m.ring_group_id = rg.id
LEFT JOIN phone_lines t ON t.id = COALESCE(n.line_id, m.line_id)
LEFT JOIN accounts ta ON ta.id = t.account_id
LEFT JOIN line_features f ON f.line_id = t.id
LEFT JOIN decks d
    ON n.number IS NULL
    AND (d.id = $10 OR EXISTS (SELECT 1 FROM gateways dw WHERE dw.deck_id = d.id))
LEFT JOIN currencies cu ON cu.code = d.currency
LEFT JOIN deck_versions v
    ON v.deck_id = d.id
    AND v.complete
    AND v.effective_at <= $11
    AND NOT EXISTS (
        SELECT 1
        FROM deck_versions later
        WHERE later.deck_id = v.deck_id
            AND later.complete
            AND later.effective_at <= $12
            AND (later.effective_at > v.effective_at OR later.effective_at = v.effective_at AND later.id > v.id)
    )
LEFT JOIN prefix_lengths p ON v.id IS NOT NULL
LEFT JOIN rates r
    ON r.deck_version_id = v.id
    AND r.prefix = substr($13, 1, p.length)
    AND r.effective_at <= $14
    AND (r.expires_at IS NULL OR r.expires_at > $15)
LEFT JOIN gateways w ON w.deck_id = d.id AND r.prefix IS NOT NULL
WHERE
    c.name = COALESCE(
        (
            SELECT cp.class_name
            FROM prefix_lengths cl
            JOIN class_prefixes cp ON cp.prefix = substr($16, 1, cl.length)
            ORDER BY cl.length DESC
            LIMIT 1
        ),
        $17
    )
    -- Of the prefixes without a rate one row a deck is kept, so that the base row is never lost.
    AND (r.prefix IS NOT NULL OR p.length IS NULL OR p.length = 1)
-- Of two rates with one prefix the later one is read last, and replaces the earlier.
ORDER BY m.position, r.effective_at
