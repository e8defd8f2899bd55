-- claim_batches
-- $1 smallint  lane
-- $2 bigint    most heartbeats, though never less than one row
-- $3 bigint    most watched seconds, likewise
-- $4 bigint    most rows
-- Takes the lane's oldest rows out of the queue; they come back if the transaction does not commit. SKIP LOCKED, so
-- that two who take the same lane in spite of the lane lock share it and never wait. Rows of an earlier version do not say
-- how many seconds they cover: the usual ten a heartbeat are assumed.
WITH claimed AS MATERIALIZED (
    SELECT id, heartbeats, coalesce(watched_secs, 10::bigint * heartbeats) AS watched_secs FROM heartbeat_queue
    WHERE lane = $1 AND id >= coalesce((SELECT heads[$1 + 1] FROM heartbeat_queue_heads), 0)
    ORDER BY id
    LIMIT $4
    FOR UPDATE SKIP LOCKED
), bounded AS (
    SELECT id
    FROM (
        SELECT id, sum(heartbeats) OVER before AS heartbeats, sum(watched_secs) OVER before AS watched_secs
        FROM claimed
        WINDOW before AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ) AS running
    WHERE coalesce(heartbeats, 0) < $2::bigint AND coalesce(watched_secs, 0) < $3::bigint
)
DELETE FROM heartbeat_queue AS q
WHERE q.lane = $1 AND q.id = ANY (ARRAY(SELECT id FROM bounded))
RETURNING q.id, q.heartbeats, q.watched_secs, q.payload, q.video_id, q.region, q.captured_on, q.start_sec, q.end_sec, q.viewer_hash
