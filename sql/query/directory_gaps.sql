-- What callers of directories would miss: anybody to be found (people), or the operator, whose extension is not there (operator).
SELECT d.id, 'people' AS lacks
FROM directories d
WHERE NOT EXISTS (
    SELECT 1 FROM directory_names n WHERE n.account_id = d.account_id AND (d.department = '' OR n.department = d.department)
)
UNION ALL
SELECT d.id, 'operator' AS lacks
FROM directories d
WHERE d.operator <> '' AND NOT EXISTS (
    SELECT 1 FROM extensions x WHERE x.account_id = d.account_id AND x.extension = d.operator
)
ORDER BY lacks, id
