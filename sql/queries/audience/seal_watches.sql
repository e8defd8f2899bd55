-- seal_watches
-- $1 text[]     videos
-- $2 date[]     days of capture
-- $3 integer[]  viewers
-- $4 bigint[]   thresholds
-- $5 bytea[]    stretches
-- The rows are locked. The days stand there twice, so that the planner leaves the partitions of all others alone.
UPDATE sampled_watches AS s
SET viewers = w.viewers, threshold = w.threshold, open = '', sealed = w.sealed
FROM unnest($1::text[], $2::date[], $3::integer[], $4::bigint[], $5::bytea[])
    AS w (video_id, captured_on, viewers, threshold, sealed)
WHERE s.captured_on = ANY ($2::date[]) AND s.video_id = w.video_id AND s.captured_on = w.captured_on
