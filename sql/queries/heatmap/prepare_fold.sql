-- prepare_fold
-- Folded heartbeats leave the queue in the transaction that appends them to the shards: a crash that forgets its commit
-- puts both back, so nobody has to wait for the disk. Compiling a plan takes longer than it. Rows of the queue come and go:
-- whatever the statistics say, they are found through the index.
SET LOCAL synchronous_commit = off;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL jit = off
