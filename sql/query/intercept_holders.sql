-- Persons who may intercept now.
SELECT DISTINCT person FROM tokens WHERE role = 'intercept' AND expires_at > $1 AND revoked_at IS NULL
