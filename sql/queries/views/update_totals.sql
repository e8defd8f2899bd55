-- update_totals
-- $1 text[]     videos, locked
-- $2 bigint[]   views to add
-- $3 bigint[]   recent viewers to add
-- $4 bigint[]   lifetime viewers to add
-- $5 integer[]  epochs to add that are estimated from now on
-- $6 date[]     first epochs of these views
-- $7 date[]     last epochs of these views
UPDATE view_totals AS t
SET views = t.views + n.views, recent_viewers = t.recent_viewers + n.recent_viewers,
    lifetime_viewers = t.lifetime_viewers + n.lifetime_viewers,
    estimated_epochs = t.estimated_epochs + n.estimated_epochs,
    first_epoch = least(t.first_epoch, n.first_epoch), last_epoch = greatest(t.last_epoch, n.last_epoch)
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::date[], $7::date[])
    AS n (video_id, views, recent_viewers, lifetime_viewers, estimated_epochs, first_epoch, last_epoch)
WHERE t.video_id = n.video_id
