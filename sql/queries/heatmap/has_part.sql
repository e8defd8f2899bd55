-- has_part
-- $1 text     video
-- $2 date     day
-- $3 text     region, NULL for all
-- $4 integer  last second that stays, -1 for none
-- Whatever a whole video counts is in one of these.
SELECT EXISTS (
    SELECT 1 FROM video_heatmap_shards
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region) AND end_sec > $4
    UNION ALL
    SELECT 1 FROM video_heatmap_second_shards
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region) AND bucket_sec > $4
    UNION ALL
    SELECT 1 FROM video_heatmap_runs
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region) AND end_sec > $4
    UNION ALL
    SELECT 1 FROM video_heatmap_60s
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region) AND last_sec > $4
) AS found
