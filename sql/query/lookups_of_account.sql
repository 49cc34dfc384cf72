-- The lookups of an account: $1 account.
SELECT id, method, url, digits, seconds, action, target FROM menu_lookups WHERE account_id = $1 ORDER BY id
