-- prepare_pieces
-- A piece takes as long as it takes; its rows are found through indexes.
SET LOCAL statement_timeout = 0;
SET LOCAL enable_seqscan = off;
SET LOCAL jit = off
