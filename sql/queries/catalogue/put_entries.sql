-- put_entries
-- $1 bigint              number of the change
-- $2 timestamptz         now
-- $3 text[]              videos, each once
-- $4 text[]              titles
-- $5 double precision[]  lengths in seconds
-- $6 text[]              channels
-- $7 text[]              addresses of pictures
-- $8 timestamptz[]       when each was published
INSERT INTO catalogue (video_id, title, duration_sec, channel, thumbnail_url, published_at, change, updated_at)
SELECT e.video_id, e.title, e.duration_sec, e.channel, e.thumbnail_url, e.published_at, $1, $2
FROM unnest($3::text[], $4::text[], $5::double precision[], $6::text[], $7::text[], $8::timestamptz[])
    AS e (video_id, title, duration_sec, channel, thumbnail_url, published_at)
ORDER BY e.video_id COLLATE "C"
ON CONFLICT (video_id) DO UPDATE SET title = EXCLUDED.title, duration_sec = EXCLUDED.duration_sec,
    channel = EXCLUDED.channel, thumbnail_url = EXCLUDED.thumbnail_url, published_at = EXCLUDED.published_at,
    change = EXCLUDED.change, updated_at = EXCLUDED.updated_at
