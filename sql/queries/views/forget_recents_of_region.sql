-- forget_recents_of_region
-- $1 text         video whose lane is locked
-- $2 text         region of the first view
-- $3 date         day, NULL for all
-- $4 timestamptz  when it begins, NULL for all
-- Of a day only rows that tell of no other.
DELETE FROM recent_views
WHERE video_id = $1 AND region = $2 AND last_day = coalesce($3, last_day) AND first_at >= coalesce($4::timestamptz, '-infinity'::timestamptz)
