-- Takes a job that nobody does, or keeps it: $1 node, $2 until, $3 job, $4 now, $5 node.
UPDATE job_leases SET node = $1, until = $2 WHERE job = $3 AND (until < $4 OR node = $5)
