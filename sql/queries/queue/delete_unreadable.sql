-- delete_unreadable
-- $1 smallint  lane
-- $2 bigint    row, which cannot be read
-- $3 text      video
-- Deletes it if the name of the video stands in it; what else it holds can be counted by nobody.
DELETE FROM heartbeat_queue AS q
WHERE q.lane = $1 AND q.id = $2
    AND ($3 = ANY (q.video_id) OR position(convert_to($3, 'UTF8') IN q.payload) > 0)
RETURNING q.heartbeats
