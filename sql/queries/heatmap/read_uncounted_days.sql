-- read_uncounted_days
-- $1 date  before this day
-- The days that have notes, one look into the index a day.
WITH RECURSIVE days AS (
    (SELECT captured_on FROM video_heatmap_uncounted WHERE captured_on < $1 ORDER BY captured_on LIMIT 1)
    UNION ALL
    SELECT (
        SELECT u.captured_on FROM video_heatmap_uncounted AS u
        WHERE u.captured_on > d.captured_on AND u.captured_on < $1
        ORDER BY u.captured_on LIMIT 1
    )
    FROM days AS d
    WHERE d.captured_on IS NOT NULL
)
SELECT captured_on FROM days WHERE captured_on IS NOT NULL ORDER BY captured_on
