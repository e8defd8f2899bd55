-- set_starting_views
-- $1 text[]    videos
-- $2 bigint[]  what each starts from, instead of what it started from before
INSERT INTO view_totals AS t (video_id, views, starting_views)
SELECT s.video_id, s.views, s.views
FROM unnest($1::text[], $2::bigint[]) AS s (video_id, views)
ORDER BY s.video_id COLLATE "C"
ON CONFLICT (video_id) DO UPDATE
SET views = t.views - t.starting_views + EXCLUDED.starting_views, starting_views = EXCLUDED.starting_views
WHERE t.starting_views <> EXCLUDED.starting_views
