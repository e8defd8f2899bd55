-- forget_recents_of_day
-- $1 text         video
-- $2 date         day
-- $3 timestamptz  when it begins
-- Only rows that tell of no other day.
DELETE FROM recent_views WHERE video_id = $1 AND last_day = $2 AND first_at >= $3
