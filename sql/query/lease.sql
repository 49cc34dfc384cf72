-- Who does a job: $1 job.
SELECT node FROM job_leases WHERE job = $1
