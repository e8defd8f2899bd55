-- lock_growth
-- $1 date  first day
-- $2 date  last day
-- Locks counts before they are deleted, in the order in which folds lock them: a deletion takes them as it finds them, and it
-- and a fold would wait for each other in a circle. Not where the tables are distributed: a node locks its own.
SELECT count(*)
FROM (
    SELECT 1 FROM video_heatmap_growth WHERE captured_on BETWEEN $1 AND $2 ORDER BY video_id, captured_on FOR UPDATE
) AS locked
