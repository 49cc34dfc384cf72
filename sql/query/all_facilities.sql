-- Every facility.
SELECT id, name, state, county, city, status, latitude, longitude, number FROM facilities ORDER BY id
