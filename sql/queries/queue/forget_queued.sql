-- forget_queued
-- $1 smallint  lane of the video
-- $2 text      video
-- $3 date      day, NULL for all
-- Rewrites the rows that hold heartbeats of the video; returns how many heartbeats went.
WITH touched AS MATERIALIZED (
    SELECT id, heartbeats FROM heartbeat_queue WHERE lane = $1 AND video_id @> ARRAY[$2::text] FOR UPDATE
), rest AS MATERIALIZED (
    SELECT q.id, count(*)::integer AS heartbeats, array_agg(b.video_id ORDER BY b.n) AS video_id,
        array_agg(b.region ORDER BY b.n) AS region, array_agg(b.captured_on ORDER BY b.n) AS captured_on,
        array_agg(b.start_sec ORDER BY b.n) AS start_sec, array_agg(b.end_sec ORDER BY b.n) AS end_sec,
        array_agg(b.viewer_hash ORDER BY b.n) AS viewer_hash
    FROM touched
    JOIN heartbeat_queue AS q ON q.lane = $1 AND q.id = touched.id
    CROSS JOIN LATERAL unnest(q.video_id, q.region, q.captured_on, q.start_sec, q.end_sec, q.viewer_hash) WITH ORDINALITY
        AS b (video_id, region, captured_on, start_sec, end_sec, viewer_hash, n)
    WHERE NOT (b.video_id = $2 AND b.captured_on = coalesce($3, b.captured_on))
    GROUP BY q.id
), rewritten AS (
    UPDATE heartbeat_queue AS q
    SET heartbeats = r.heartbeats, video_id = r.video_id, region = r.region, captured_on = r.captured_on,
        start_sec = r.start_sec, end_sec = r.end_sec, viewer_hash = r.viewer_hash
    FROM rest AS r
    WHERE q.lane = $1 AND q.id = r.id
), emptied AS (
    DELETE FROM heartbeat_queue WHERE lane = $1 AND id IN (SELECT id FROM touched EXCEPT SELECT id FROM rest)
)
SELECT (coalesce((SELECT sum(heartbeats) FROM touched), 0) - coalesce((SELECT sum(heartbeats) FROM rest), 0))::bigint AS heartbeats
