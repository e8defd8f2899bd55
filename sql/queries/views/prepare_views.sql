-- prepare_views
-- All rows are found through indexes, whatever the statistics say of tables that were empty a moment ago; compiling a plan
-- takes longer than it.
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL jit = off
