-- read_known_videos
-- $1 text[]  videos
-- Those that were viewed once, or that the catalogue has.
SELECT video_id FROM view_totals WHERE video_id = ANY ($1::text[])
UNION
SELECT video_id FROM catalogue WHERE video_id = ANY ($1::text[])
