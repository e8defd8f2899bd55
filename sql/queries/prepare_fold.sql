-- prepare_fold
-- Folded heartbeats leave the queue in the transaction that unites them with the sketches: a crash that forgets its commit
-- puts both back, so nobody has to wait for the disk. The upsert's plan depends on how much there is already; pages of the
-- open day are in memory.
SET LOCAL synchronous_commit = off;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL random_page_cost = 1.1
