-- prepare_fold_distributed
-- As prepare_fold, but the commit is waited for: the nodes keep what they were told even if the coordinator forgets its commit, and
-- then the rows of the queue would be there again that are counted already. What changes rows of videos commutes, as a lane's
-- videos are its own: nobody waits for another at a whole shard.
SET LOCAL synchronous_commit = on;
SET LOCAL citus.all_modifications_commutative = on;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL jit = off
