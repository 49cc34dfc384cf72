-- Who answers where no facility is found.
SELECT state, facility_id, name, number FROM facility_defaults ORDER BY state
