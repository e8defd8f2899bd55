-- insert_runs
-- $1 smallint   shard
-- $2 text[]     videos
-- $3 date[]     days of capture
-- $4 text[]     regions
-- $5 integer[]  first seconds
-- $6 integer[]  last seconds
-- $7 bytea[]    sketches
-- $8 bigint[]   plays of each second
-- The rows that were not there to be updated. INSERT … ON CONFLICT for all of them would look for every second twice and
-- write a row's lock and its confirmation to the log too. A row that somebody inserts in between is a unique violation:
-- the transaction is undone and tried again.
INSERT INTO video_heatmap_shards (video_id, captured_on, region, bucket_sec, shard, viewers, plays)
SELECT r.video_id, r.captured_on, r.region, s.bucket_sec, $1, r.viewers::hll, r.plays
FROM unnest($2::text[], $3::date[], $4::text[], $5::integer[], $6::integer[], $7::bytea[], $8::bigint[])
    AS r (video_id, captured_on, region, start_sec, end_sec, viewers, plays)
CROSS JOIN LATERAL generate_series(r.start_sec, r.end_sec) AS s (bucket_sec)
