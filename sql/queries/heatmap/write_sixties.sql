-- write_sixties
-- $1 date       day
-- $2 text       video
-- $3 text       region, GLOBAL too
-- $4 integer[]  first seconds of buckets
-- $5 integer[]  their last watched seconds
-- $6 bytea[]    sketches, united with those that were there
-- $7 bigint[]   plays, those that were there included
INSERT INTO video_heatmap_60s AS t (video_id, captured_on, region, bucket_sec, last_sec, viewers, plays)
SELECT $2, $1, $3, b.bucket_sec, b.last_sec, b.viewers::hll, b.plays
FROM unnest($4::integer[], $5::integer[], $6::bytea[], $7::bigint[]) AS b (bucket_sec, last_sec, viewers, plays)
ON CONFLICT (video_id, region, captured_on, bucket_sec)
DO UPDATE SET last_sec = EXCLUDED.last_sec, viewers = EXCLUDED.viewers, plays = EXCLUDED.plays
