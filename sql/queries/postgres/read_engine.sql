-- read_engine
SELECT lanes FROM engine
