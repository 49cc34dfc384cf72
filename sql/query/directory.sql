-- A directory, and whether its account is active: $1 directory.
SELECT
    d.id,
    d.account_id,
    a.status AS account_status,
    d.department,
    d.search,
    d.letters,
    d.presentation,
    d.say_extension,
    d.operator,
    d.language
FROM directories d
JOIN accounts a ON a.id = d.account_id
WHERE d.id = $1
