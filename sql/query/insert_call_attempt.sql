-- An attempt of a call and its price. Written in rows of many.
INSERT INTO call_attempts (
    node, boot, uniqueid, number, linkedid, leg_uniqueid, kind, name, status, cause, sip_code, started_at,
    post_dial_delay_ms, answered_at, ended_at, talk_ms, clock_doubtful, line_id, gateway_id, account_id,
    called_number, shown_number, buy_deck_id, buy_deck_version_id, buy_prefix, buy_per_minute_micros, buy_connect_fee_micros,
    buy_initial_seconds, buy_increment_seconds, buy_currency, buy_seconds, buy_micros, sell_deck_id,
    sell_deck_version_id, sell_prefix, sell_per_minute_micros, sell_connect_fee_micros, sell_initial_seconds,
    sell_increment_seconds, sell_currency, sell_seconds, sell_micros, codec, packets_in, packets_out, lost_in,
    lost_out, jitter_in_us, jitter_out_us, round_trip_us, shipped_at
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46,
    $47, $48, $49, $50, $51
)
