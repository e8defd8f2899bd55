-- drop_unkept_partitions
-- $1 date  first day that is kept
SELECT drop_unkept_partitions($1) AS dropped
