-- Which database this is.
SELECT id FROM data_origin
