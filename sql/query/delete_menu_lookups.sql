-- $1 account.
DELETE FROM menu_lookups WHERE account_id = $1
