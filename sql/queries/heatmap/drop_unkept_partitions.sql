-- drop_unkept_partitions
SELECT drop_unkept_partitions() AS dropped
