-- add_trending
-- $1 text[]              videos
-- $2 text[]              regions, GLOBAL too; each pair once
-- $3 double precision[]  recent masses
-- $4 double precision[]  baselines
-- $5 timestamptz[]       moments of the masses
-- $6 timestamptz[]       when the earliest viewer of each came
-- $7 double precision    half-life of recent masses, in seconds
-- $8 double precision    half-life of baselines, in seconds
-- Both masses are taken as they are at the later of the two moments, and added. The keys are what key() of views::trending makes.
INSERT INTO trending AS t (video_id, region, recent, baseline, at, born, recent_key, baseline_key)
SELECT n.video_id, n.region, n.recent, n.baseline, n.at, n.born,
    floor(4 * (ln(n.recent) / ln(2::double precision) + extract(epoch FROM n.at)::double precision / $7)),
    floor(4 * (ln(n.baseline) / ln(2::double precision) + extract(epoch FROM n.at)::double precision / $8))
FROM unnest($1::text[], $2::text[], $3::double precision[], $4::double precision[], $5::timestamptz[], $6::timestamptz[])
    AS n (video_id, region, recent, baseline, at, born)
ORDER BY n.video_id COLLATE "C", n.region COLLATE "C"
ON CONFLICT (video_id, region) DO UPDATE SET
    recent = t.recent * power(2, extract(epoch FROM t.at - greatest(t.at, EXCLUDED.at))::double precision / $7)
        + EXCLUDED.recent * power(2, extract(epoch FROM EXCLUDED.at - greatest(t.at, EXCLUDED.at))::double precision / $7),
    baseline = t.baseline * power(2, extract(epoch FROM t.at - greatest(t.at, EXCLUDED.at))::double precision / $8)
        + EXCLUDED.baseline * power(2, extract(epoch FROM EXCLUDED.at - greatest(t.at, EXCLUDED.at))::double precision / $8),
    recent_key = floor(4 * (
        ln(t.recent * power(2, extract(epoch FROM t.at - greatest(t.at, EXCLUDED.at))::double precision / $7)
            + EXCLUDED.recent * power(2, extract(epoch FROM EXCLUDED.at - greatest(t.at, EXCLUDED.at))::double precision / $7))
        / ln(2::double precision) + extract(epoch FROM greatest(t.at, EXCLUDED.at))::double precision / $7)),
    baseline_key = floor(4 * (
        ln(t.baseline * power(2, extract(epoch FROM t.at - greatest(t.at, EXCLUDED.at))::double precision / $8)
            + EXCLUDED.baseline * power(2, extract(epoch FROM EXCLUDED.at - greatest(t.at, EXCLUDED.at))::double precision / $8))
        / ln(2::double precision) + extract(epoch FROM greatest(t.at, EXCLUDED.at))::double precision / $8)),
    at = greatest(t.at, EXCLUDED.at),
    born = least(t.born, EXCLUDED.born)
