-- Tandem, pickup groups: lines of one account that may answer for each other. A word of the account's own choice; empty for none.
ALTER TABLE phone_lines ADD COLUMN pickup_group VARCHAR(64) NOT NULL DEFAULT '';
CREATE INDEX phone_lines_pickup_group ON phone_lines (account_id, pickup_group);
