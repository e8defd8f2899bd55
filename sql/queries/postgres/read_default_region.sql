-- read_default_region
SELECT region FROM default_region
