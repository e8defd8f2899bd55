-- read_days
-- $1 text[]  videos, locked
-- $2 text[]  regions
-- $3 date[]  days
SELECT d.video_id, d.region, d.day, d.viewers
FROM unnest($1::text[], $2::text[], $3::date[]) AS k (video_id, region, day)
JOIN view_days AS d ON d.video_id = k.video_id AND d.region = k.region AND d.day = k.day
