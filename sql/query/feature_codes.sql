-- What is dialled for features.
SELECT code, feature FROM feature_codes ORDER BY code
