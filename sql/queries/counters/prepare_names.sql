-- prepare_names
-- What these names are made for is committed later, and takes them to the disk with it; without that they are of no use.
SET LOCAL synchronous_commit = off;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL jit = off
