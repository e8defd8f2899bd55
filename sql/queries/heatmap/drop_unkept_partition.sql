-- drop_unkept_partition
-- $1 date  first day that is kept
SELECT drop_unkept_partition($1) AS dropped
