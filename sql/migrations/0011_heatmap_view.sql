-- The heatmap as one table of seconds, for people who ask in SQL; the program itself never reads it.
CREATE VIEW video_heatmap_seconds AS
SELECT video_id, captured_on, region, bucket_sec, viewers, plays
FROM video_heatmap
WHERE region <> 'GLOBAL' AND captured_on >= (SELECT greatest(kept_from, fine_from) FROM retention)
UNION ALL
SELECT r.video_id, r.captured_on, r.region, s.bucket_sec, r.viewers, r.plays
FROM video_heatmap_runs AS r
CROSS JOIN LATERAL generate_series(r.start_sec, r.end_sec) AS s (bucket_sec)
WHERE r.captured_on >= (SELECT greatest(kept_from, fine_from) FROM retention)
UNION ALL
SELECT r.video_id, r.captured_on, r.region, s.bucket_sec, r.viewers, r.plays
FROM video_heatmap_shards AS r
CROSS JOIN LATERAL generate_series(r.start_sec, r.end_sec) AS s (bucket_sec)
WHERE r.captured_on >= (SELECT greatest(kept_from, fine_from) FROM retention)
UNION ALL
SELECT video_id, captured_on, region, bucket_sec, viewers, plays
FROM video_heatmap_second_shards
WHERE captured_on >= (SELECT greatest(kept_from, fine_from) FROM retention);
COMMENT ON VIEW video_heatmap_seconds IS 'Every watched second of every video, UTC day and region, in whatever form it is stored: several rows of one second may occur, so unite their sketches and add their plays, and never unite sketches of different salt epochs (salt_epochs has their days). Days that are no longer kept by the second are left out';
COMMENT ON COLUMN video_heatmap_seconds.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_seconds.captured_on IS 'UTC day of capture: name it, only its partitions are looked at then';
COMMENT ON COLUMN video_heatmap_seconds.region IS 'Region, never GLOBAL: unite the regions instead';
COMMENT ON COLUMN video_heatmap_seconds.bucket_sec IS 'The second, counted from the start of the video';
COMMENT ON COLUMN video_heatmap_seconds.viewers IS 'Sketch of viewers present in that second';
COMMENT ON COLUMN video_heatmap_seconds.plays IS 'How many times they played that second, repeats included';
