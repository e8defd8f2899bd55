-- lock_totals_distributed
-- $1 text[]  videos
-- As lock_totals, by writing the rows as they are. Whoever changes recent views takes this lock first.
UPDATE view_totals AS t SET views = t.views WHERE t.video_id = ANY ($1::text[]) RETURNING t.video_id
