-- read_engine
SELECT lanes, distributed FROM engine
