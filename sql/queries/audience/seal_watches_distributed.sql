-- seal_watches_distributed
-- $1 text[]     videos
-- $2 date[]     days of capture
-- $3 integer[]  viewers
-- $4 bigint[]   thresholds
-- $5 bytea[]    stretches
-- As seal_watches. The rows are there, and locked: from arrays each node gets its own alone.
INSERT INTO sampled_watches (video_id, captured_on, viewers, threshold, open, sealed)
SELECT w.video_id, w.captured_on, w.viewers, w.threshold, '', w.sealed
FROM unnest($1::text[], $2::date[], $3::integer[], $4::bigint[], $5::bytea[])
    AS w (video_id, captured_on, viewers, threshold, sealed)
ORDER BY w.video_id COLLATE "C", w.captured_on
ON CONFLICT (video_id, captured_on) DO UPDATE SET
    viewers = EXCLUDED.viewers, threshold = EXCLUDED.threshold, open = EXCLUDED.open, sealed = EXCLUDED.sealed
