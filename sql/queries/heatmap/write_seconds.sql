-- write_seconds
-- $1 date       day
-- $2 text       video
-- $3 text       region, GLOBAL too
-- $4 integer[]  first seconds of stretches
-- $5 integer[]  their last seconds
-- $6 bytea[]    sketches, united with those that were there
-- $7 bigint[]   plays of each second, those that were there included
INSERT INTO video_heatmap AS t (video_id, captured_on, region, bucket_sec, viewers, plays)
SELECT $2, $1, $3, s.bucket_sec, r.viewers::hll, r.plays
FROM unnest($4::integer[], $5::integer[], $6::bytea[], $7::bigint[]) AS r (start_sec, end_sec, viewers, plays)
CROSS JOIN LATERAL generate_series(r.start_sec, r.end_sec) AS s (bucket_sec)
ON CONFLICT (video_id, region, captured_on, bucket_sec)
DO UPDATE SET viewers = EXCLUDED.viewers, plays = EXCLUDED.plays
