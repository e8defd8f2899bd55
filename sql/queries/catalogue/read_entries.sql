-- read_entries
-- $1 text[]  videos
SELECT video_id, title, duration_sec, channel, thumbnail_url, published_at, updated_at
FROM catalogue
WHERE video_id = ANY ($1::text[])
