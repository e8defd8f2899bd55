-- set_aside_unreadable
-- $1 smallint     lane
-- $2 timestamptz  now
-- Takes out of the lane's oldest row the heartbeats that no program of ours can have written and none can read: a NULL,
-- or a day outside the years 1 to 9999. Where there is a NULL the failed row has a value that no heartbeat has.
WITH oldest AS MATERIALIZED (
    SELECT * FROM heartbeat_queue
    WHERE lane = $1
    ORDER BY id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
), beats AS MATERIALIZED (
    SELECT q.id, h.*,
        num_nulls(h.video_id, h.region, h.captured_on, h.start_sec, h.end_sec, h.viewer_hash) = 0
            AND h.captured_on BETWEEN '0001-01-01' AND '9999-12-31' AS readable
    FROM oldest AS q,
        unnest(q.video_id, q.region, q.captured_on, q.start_sec, q.end_sec, q.viewer_hash)
            WITH ORDINALITY AS h (video_id, region, captured_on, start_sec, end_sec, viewer_hash, place)
), failed AS (
    INSERT INTO heartbeat_queue_failed
        (failed_at, reason, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
    SELECT $2, 'unreadable: a NULL, or a day outside the years 1 to 9999', coalesce(video_id, ''),
        coalesce(region, ''), coalesce(captured_on, '-infinity'), coalesce(start_sec, -1), coalesce(end_sec, -1),
        coalesce(viewer_hash, 0)
    FROM beats
    WHERE NOT readable
    RETURNING id
), kept AS (
    UPDATE heartbeat_queue AS q
    SET heartbeats = r.heartbeats, video_id = r.video_id, region = r.region, captured_on = r.captured_on,
        start_sec = r.start_sec, end_sec = r.end_sec, viewer_hash = r.viewer_hash
    FROM (
        SELECT id, count(*) AS heartbeats, array_agg(video_id ORDER BY place) AS video_id,
            array_agg(region ORDER BY place) AS region, array_agg(captured_on ORDER BY place) AS captured_on,
            array_agg(start_sec ORDER BY place) AS start_sec, array_agg(end_sec ORDER BY place) AS end_sec,
            array_agg(viewer_hash ORDER BY place) AS viewer_hash
        FROM beats
        WHERE readable
        GROUP BY id
    ) AS r
    WHERE q.lane = $1 AND q.id = r.id
), emptied AS (
    DELETE FROM heartbeat_queue AS q
    USING (SELECT id FROM beats GROUP BY id HAVING NOT bool_or(readable)) AS r
    WHERE q.lane = $1 AND q.id = r.id
)
SELECT count(*) AS failed FROM failed
