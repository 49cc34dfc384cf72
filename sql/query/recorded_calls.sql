-- Keys of the calls of one run of Asterisk that began in a time: $1 boot, $2 from, $3 before.
SELECT node, uniqueid, sequence FROM call_records WHERE boot = $1 AND started_at >= $2 AND started_at < $3
