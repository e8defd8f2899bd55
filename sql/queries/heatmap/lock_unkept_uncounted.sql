-- lock_unkept_uncounted
-- $1 date  first day that is kept
-- As lock_growth, in the order in which compaction locks them.
SELECT count(*)
FROM (
    SELECT 1 FROM video_heatmap_uncounted WHERE captured_on < $1 ORDER BY video_id, captured_on FOR UPDATE
) AS locked
