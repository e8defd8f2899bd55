-- heal_totals
-- $1 text[]     videos, locked
-- $2 bigint[]   views to add
-- $3 bigint[]   recent viewers to add
-- $4 bigint[]   lifetime viewers to add
-- $5 integer[]  estimated epochs to add
UPDATE view_totals AS t
SET views = t.views + n.views, recent_viewers = t.recent_viewers + n.recent_viewers,
    lifetime_viewers = t.lifetime_viewers + n.lifetime_viewers,
    estimated_epochs = t.estimated_epochs + n.estimated_epochs
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[])
    AS n (video_id, views, recent_viewers, lifetime_viewers, estimated_epochs)
WHERE t.video_id = n.video_id
