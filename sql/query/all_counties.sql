-- Every county.
SELECT id, state, name, area FROM counties ORDER BY id
