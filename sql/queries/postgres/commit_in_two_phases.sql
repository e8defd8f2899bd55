-- commit_in_two_phases
-- Where the tables are distributed: writes nothing, but as rows that come from arrays it has the transaction committed in two phases.
-- A write at one node would be committed before what the transaction changes on the coordinator.
INSERT INTO video_heatmap_spread (video_id, captured_on, block)
SELECT n.video_id, n.captured_on, 0
FROM unnest('{}'::text[], '{}'::date[]) AS n (video_id, captured_on)
ON CONFLICT DO NOTHING
