-- take_wholes
-- $1 date    day
-- $2 text    the piece begins behind this key: video,
-- $3 text    region
-- $4 text    and ends with this one: video,
-- $5 text    region
-- $6 text[]  videos that are locked
-- In the order of the key, in which the fold comes to the rows too. A row that it changes meanwhile is taken as it is then.
DELETE FROM video_heatmap_whole_shards
WHERE captured_on = $1 AND (video_id, captured_on, region) > ($2, $1, $3)
    AND (video_id, captured_on, region) <= ($4, $1, $5) AND video_id = ANY ($6::text[])
RETURNING video_id, region, last_sec, viewers, plays, heartbeats
