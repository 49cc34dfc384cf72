-- The keys of a name from one of its words on.
INSERT INTO directory_names (mailbox_id, account_id, department, part, digits, spelling)
VALUES ($1, $2, $3, $4, $5, $6)
