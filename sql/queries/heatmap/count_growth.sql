-- count_growth
-- $1 text[]    videos
-- $2 date[]    days of capture
-- $3 bigint[]  runs appended to each
-- $4 bigint    trigger
-- Returns those whose count passed a multiple of the trigger. Sorted, so that two transactions do not wait for each other
-- in a circle.
WITH appended AS MATERIALIZED (
    SELECT video_id COLLATE "C" AS video_id, captured_on, runs
    FROM unnest($1::text[], $2::date[], $3::bigint[]) AS a (video_id, captured_on, runs)
), counted AS (
    INSERT INTO video_heatmap_growth AS g (video_id, captured_on, runs_appended)
    SELECT video_id, captured_on, runs FROM appended ORDER BY video_id, captured_on
    ON CONFLICT (video_id, captured_on) DO UPDATE SET runs_appended = g.runs_appended + EXCLUDED.runs_appended
    RETURNING g.video_id, g.captured_on, g.runs_appended
)
SELECT c.video_id, c.captured_on
FROM counted AS c
JOIN appended AS a ON a.video_id = c.video_id AND a.captured_on = c.captured_on
WHERE c.runs_appended / $4 > (c.runs_appended - a.runs) / $4
ORDER BY 1, 2
