-- cut_runs
-- $1 text     video, whose lane and days are locked
-- $2 date     day
-- $3 text     region, NULL for all
-- $4 integer  last second that stays, -1 for none
-- Shard runs are never updated: what is left of one is appended anew.
WITH shards AS (
    DELETE FROM video_heatmap_shards
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region) AND end_sec > $4
    RETURNING region, start_sec, viewers, plays
), shards_left AS (
    INSERT INTO video_heatmap_shards (video_id, captured_on, region, start_sec, end_sec, viewers, plays)
    SELECT $1, $2, region, start_sec, $4, viewers, plays FROM shards WHERE start_sec <= $4
), second_shards AS (
    DELETE FROM video_heatmap_second_shards
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region) AND bucket_sec > $4
    RETURNING 1
), runs AS (
    DELETE FROM video_heatmap_runs
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region) AND start_sec > $4
    RETURNING 1
), runs_left AS (
    UPDATE video_heatmap_runs SET end_sec = $4
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region) AND start_sec <= $4 AND end_sec > $4
    RETURNING 1
)
SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM runs_left) AS canonical,
    (SELECT count(*) FROM shards) + (SELECT count(*) FROM second_shards) AS shards
