-- Whose token this is; no word of the secret.
SELECT id, person, role, secret_hash, created_at, expires_at, revoked_at FROM tokens WHERE id = $1
