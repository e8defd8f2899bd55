-- read_dead_salt_epochs
-- As the last vacuum counted them, and those that came since.
SELECT pg_stat_get_dead_tuples('salt_epochs'::regclass) AS dead_rows
