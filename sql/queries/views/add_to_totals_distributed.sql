-- add_to_totals_distributed
-- $1 text[]     videos, locked
-- $2 bigint[]   views to add
-- $3 bigint[]   recent viewers to add
-- $4 bigint[]   lifetime viewers to add
-- $5 integer[]  epochs to add that are estimated from now on
-- $6 date[]     first epochs of these views
-- $7 date[]     last epochs of these views
-- As update_totals. The rows are there: from arrays each node gets its own alone.
INSERT INTO view_totals AS t (video_id, views, recent_viewers, lifetime_viewers, estimated_epochs, first_epoch, last_epoch)
SELECT n.video_id, n.views, n.recent_viewers, n.lifetime_viewers, n.estimated_epochs, n.first_epoch, n.last_epoch
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::date[], $7::date[])
    AS n (video_id, views, recent_viewers, lifetime_viewers, estimated_epochs, first_epoch, last_epoch)
ORDER BY n.video_id COLLATE "C"
ON CONFLICT (video_id) DO UPDATE SET
    views = t.views + EXCLUDED.views, recent_viewers = t.recent_viewers + EXCLUDED.recent_viewers,
    lifetime_viewers = t.lifetime_viewers + EXCLUDED.lifetime_viewers,
    estimated_epochs = t.estimated_epochs + EXCLUDED.estimated_epochs,
    first_epoch = least(t.first_epoch, EXCLUDED.first_epoch), last_epoch = greatest(t.last_epoch, EXCLUDED.last_epoch)
