-- prepare_nightly
-- A piece of the nightly job takes as long as it takes, and unites sketches one group at a time.
SET LOCAL statement_timeout = 0;
SET LOCAL enable_hashagg = off;
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off
