-- A lookup of an account: $1 lookup, $2 account.
SELECT id, method, url, digits, seconds, action, target FROM menu_lookups WHERE id = $1 AND account_id = $2
