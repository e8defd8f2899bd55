-- read_drift
SELECT name, found FROM drift ORDER BY name
