-- Every service area.
SELECT facility_id, area FROM facility_areas ORDER BY facility_id
