-- An emergency call as it was sent out. Written in rows of many.
INSERT INTO emergency_calls (
    node, boot, uniqueid, linkedid, called_at, line_id, device, device_address, account_id, number, callback_number,
    location, latitude, longitude, location_source, location_placed_at, facility_id, facility_name, method, distance_m,
    source, shipped_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
