-- read_uncounted_days_distributed
-- $1 date  before this day
-- As read_uncounted_days: every node tells the days that its videos have notes of.
SELECT DISTINCT captured_on FROM video_heatmap_uncounted WHERE captured_on < $1 ORDER BY captured_on
