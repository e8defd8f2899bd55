-- read_view_totals
-- $1 text[]  videos
SELECT video_id, views, recent_viewers, lifetime_viewers, archived_viewers, merged_viewers, estimated_epochs,
    first_epoch, last_epoch
FROM view_totals
WHERE video_id = ANY ($1)
