-- Classes that rows of an import file may refer to.
SELECT name AS id, name AS account_id FROM classes
