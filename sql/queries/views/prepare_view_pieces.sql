-- prepare_view_pieces
-- A piece takes as long as it takes; its rows are found through indexes.
SET LOCAL statement_timeout = 0;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL jit = off
