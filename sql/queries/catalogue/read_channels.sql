-- read_channels
-- $1 text[]  videos
SELECT video_id, channel FROM catalogue WHERE video_id = ANY ($1::text[]) AND channel IS NOT NULL
