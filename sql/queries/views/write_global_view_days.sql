-- write_global_view_days
-- $1 text    video, locked
-- $2 date[]  days whose GLOBAL rows are gone
INSERT INTO view_days (video_id, region, day, epoch, views, viewers)
SELECT $1, 'GLOBAL', day, epoch, sum(views)::bigint, hll_union_agg(viewers)
FROM view_days
WHERE video_id = $1 AND region <> 'GLOBAL' AND day = ANY ($2::date[])
GROUP BY day, epoch
ORDER BY day
