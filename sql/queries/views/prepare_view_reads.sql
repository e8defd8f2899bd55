-- prepare_view_reads
-- Below the time after which the asker is told that there is no answer. Rows are found through indexes, whatever the
-- statistics say of tables that were empty a moment ago.
SET LOCAL statement_timeout = '25s';
SET LOCAL enable_seqscan = off;
SET LOCAL jit = off
