-- append_runs_distributed
-- $1 text[]     videos
-- $2 date[]     days of capture
-- $3 text[]     regions
-- $4 integer[]  first seconds
-- $5 integer[]  last seconds
-- $6 bytea[]    sketches
-- $7 bigint[]   plays of each second
-- As append_runs. There is nothing to conflict with: the clause has Citus send the rows as an INSERT, whose errors keep their
-- codes, and not as a COPY. Rows that come from arrays are always committed in two phases, also where they go to one node.
INSERT INTO video_heatmap_shards (video_id, captured_on, region, start_sec, end_sec, viewers, plays)
SELECT r.video_id, r.captured_on, r.region, r.start_sec, r.end_sec, r.viewers::hll, r.plays
FROM unnest($1::text[], $2::date[], $3::text[], $4::integer[], $5::integer[], $6::bytea[], $7::bigint[])
    AS r (video_id, captured_on, region, start_sec, end_sec, viewers, plays)
ON CONFLICT DO NOTHING
