-- Currencies that rows of an import file may refer to.
SELECT code AS id, code AS account_id FROM currencies
