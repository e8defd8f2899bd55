-- read_videos_with_totals
-- $1 text    video to begin behind
-- $2 bigint  videos at most
SELECT video_id FROM view_totals WHERE video_id > $1 ORDER BY video_id LIMIT $2
