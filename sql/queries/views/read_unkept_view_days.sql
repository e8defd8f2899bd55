-- read_unkept_view_days
-- $1 date    days before this one are not kept
-- $2 bigint  rows at most
SELECT video_id FROM view_days WHERE day < $1 ORDER BY day LIMIT $2
