-- Directories that rows of an import file may refer to, and whose they are.
SELECT id, account_id FROM directories
