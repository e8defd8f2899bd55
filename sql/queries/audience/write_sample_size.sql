-- write_sample_size
-- $1 integer  viewers that a sample is thinned to, 0 for no sample
UPDATE sample_settings SET size = $1 WHERE size <> $1
