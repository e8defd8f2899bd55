-- prepare_batch_ids
-- Slots fill and are emptied: a plan that was made for an empty one would read all of a full one, for every commit.
SET LOCAL enable_seqscan = off
