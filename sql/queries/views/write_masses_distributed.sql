-- write_masses_distributed
-- $1 text[]              videos, whose totals are locked
-- $2 text[]              regions, GLOBAL too; each pair once
-- $3 double precision[]  recent masses, those that were there included
-- $4 double precision[]  baselines, likewise
-- $5 timestamptz[]       moments of the masses
-- $6 timestamptz[]       when the earliest viewer of each came
-- $7 integer[]           keys of the recent masses
-- $8 integer[]           keys of the baselines
-- Instead of add_trending: a cluster takes neither parameters nor what depends on the session where a row is changed.
INSERT INTO trending (video_id, region, recent, baseline, at, born, recent_key, baseline_key)
SELECT n.video_id, n.region, n.recent, n.baseline, n.at, n.born, n.recent_key, n.baseline_key
FROM unnest($1::text[], $2::text[], $3::double precision[], $4::double precision[], $5::timestamptz[], $6::timestamptz[],
    $7::integer[], $8::integer[]) AS n (video_id, region, recent, baseline, at, born, recent_key, baseline_key)
ORDER BY n.video_id COLLATE "C", n.region COLLATE "C"
ON CONFLICT (video_id, region) DO UPDATE SET
    recent = EXCLUDED.recent, baseline = EXCLUDED.baseline, at = EXCLUDED.at, born = EXCLUDED.born,
    recent_key = EXCLUDED.recent_key, baseline_key = EXCLUDED.baseline_key
