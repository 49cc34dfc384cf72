-- The legs of all calls that go on, on all nodes that live.
SELECT
    node, uniqueid, linked_id, channel, direction, line_id, gateway_id, account_id, shown_number, dialled, state, began_at, answered_at
FROM live_calls_now
ORDER BY began_at, node, uniqueid
