-- lock_video_on_node
-- $1 text  video
-- Held on the video's node to the end of the transaction, and there, other than the locks of the coordinator, also by a
-- transaction that is prepared and waits for its second phase because the node was lost in between. A count has one row always.
SELECT pg_advisory_xact_lock(hashtext('heatstrip video ' || $1), 0)
FROM (SELECT count(*) FROM video_heatmap_uncounted WHERE video_id = $1) AS one_row
