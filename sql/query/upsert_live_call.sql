-- A leg of a live call as it is now. Written in rows of many; a row that is there already is replaced.
INSERT INTO live_calls (
    node, uniqueid, linked_id, channel, direction, line_id, gateway_id, account_id, shown_number, dialled, state, began_at, answered_at, ended
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
