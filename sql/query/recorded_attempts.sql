-- Keys of the attempts of one run of Asterisk that began in a time: $1 boot, $2 from, $3 before.
SELECT node, uniqueid, number AS sequence FROM call_attempts WHERE boot = $1 AND started_at >= $2 AND started_at < $3
