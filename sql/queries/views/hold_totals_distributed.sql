-- hold_totals_distributed
-- $1 text[]  videos
-- As insert_totals and lock_totals together. Where the tables are distributed a video's row is the lock of all its views, recent
-- ones too, as no row of several nodes can be locked by reading it. It waits also for a transaction that is prepared and waits for
-- its second phase.
INSERT INTO view_totals AS t (video_id)
SELECT v.video_id FROM unnest($1::text[]) AS v (video_id) ORDER BY v.video_id COLLATE "C"
ON CONFLICT (video_id) DO UPDATE SET views = t.views
