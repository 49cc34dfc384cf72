-- A call as Asterisk recorded it, and what was decided. Written in rows of many.
INSERT INTO call_records (
    node, boot, uniqueid, sequence, linkedid, started_at, answered_at, ended_at, utc_offset_minutes, duration_ms,
    talk_ms, clock_doubtful, disposition, src, dst, context, clid, channel, dstchannel, lastapp, lastdata,
    direction, line_id, gateway_id, account_id, number, class, reason, cause, emergency, codec, packets_in,
    packets_out, lost_in, lost_out, jitter_in_us, jitter_out_us, round_trip_us, source, shipped_at
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40
)
