-- prepare_fold
-- Folded heartbeats leave the queue in the transaction that unites them with the sketches: a crash that forgets its commit
-- puts both back, so nobody has to wait for the disk. The rows of a run are always found through the index: a partition
-- that was empty a moment ago has statistics that say otherwise. Compiling a plan takes longer than it.
SET LOCAL synchronous_commit = off;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL jit = off
