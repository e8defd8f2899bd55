-- read_masses_distributed
-- $1 text[]  videos, whose totals are locked
-- $2 text[]  regions, GLOBAL too
-- The masses that are there.
SELECT t.video_id, t.region, t.recent, t.baseline, t.at, t.born
FROM unnest($1::text[], $2::text[]) AS k (video_id, region)
JOIN trending AS t ON t.video_id = k.video_id AND t.region = k.region
WHERE t.video_id = ANY ($1::text[])
