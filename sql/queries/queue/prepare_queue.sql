-- prepare_queue
-- Rows come and go: whatever the statistics say, they are found through the index.
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off
