-- read_archivable
-- $1 date    rows whose last view is before this day
-- $2 bigint  rows at most
SELECT video_id, viewer FROM recent_views WHERE last_day < $1 ORDER BY last_day LIMIT $2
