-- A notice of an emergency call that was delivered. Written in rows of many.
INSERT INTO emergency_notices (
    node, boot, uniqueid, kind, address, created_at, delivered_at, tries, last_error, shipped_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
