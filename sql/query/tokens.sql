SELECT id, person AS holder, role, secret_hash, created_at, expires_at, revoked_at FROM tokens ORDER BY created_at, id
