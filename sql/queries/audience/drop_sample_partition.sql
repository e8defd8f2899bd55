-- drop_sample_partition
-- $1 date  first day that is kept
SELECT drop_sample_partition($1) AS dropped
