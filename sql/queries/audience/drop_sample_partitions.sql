-- drop_sample_partitions
SELECT drop_sample_partitions((SELECT kept_from FROM sample_settings)) AS dropped
