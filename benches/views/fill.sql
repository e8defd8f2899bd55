-- Recents of :rows rows over :posts videos, as Zipf has it, with the totals that belong to them; hashes are random, and a quarter
-- of the rows is old enough for the archive.
INSERT INTO recent_views (video_id, viewer, views, first_at, last_at, first_counted_at, last_counted_at, epoch, last_day, region)
SELECT 'p' || floor(:posts ^ random())::bigint, (random() * 9.2e18)::bigint, 1 + (random() * 2)::int, seen, seen, seen, seen,
    date_trunc('month', seen AT TIME ZONE 'UTC')::date, (seen AT TIME ZONE 'UTC')::date, 'R' || n % 8
FROM (SELECT n, now() - random() * interval '40 days' AS seen FROM generate_series(1, :rows::bigint) AS n) AS views
ON CONFLICT DO NOTHING;
INSERT INTO view_totals (video_id, views, starting_views, recent_viewers, first_epoch, last_epoch)
SELECT video_id, sum(views), sum(views), count(*), min(epoch), max(epoch) FROM recent_views GROUP BY video_id;
VACUUM ANALYZE recent_views;
VACUUM ANALYZE view_totals;
