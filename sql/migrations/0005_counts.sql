-- What adding needs. Sketches of different salts are never united, so of an epoch that is over a strip needs the rounded
-- estimates only: one row of arrays instead of a sketch a bucket.

CREATE TABLE video_heatmap_counts (
    video_id text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    level smallint NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    last_sec integer NOT NULL,
    exact boolean NOT NULL,
    bucket integer[] NOT NULL,
    viewers bigint[] NOT NULL,
    reached bigint[] NOT NULL,
    plays bigint[] NOT NULL,
    PRIMARY KEY (video_id, region, level, first_day)
);
COMMENT ON TABLE video_heatmap_counts IS 'What the canonical rows of a salt epoch that is over amount to: one row per video, region (and GLOBAL), level and epoch. Whoever changes those rows deletes it; the nightly job makes it again';
COMMENT ON COLUMN video_heatmap_counts.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_counts.region IS 'Region, or GLOBAL for the union of all';
COMMENT ON COLUMN video_heatmap_counts.level IS 'Seconds a bucket: 1, 5 or 60';
COMMENT ON COLUMN video_heatmap_counts.first_day IS 'First UTC day of the epoch';
COMMENT ON COLUMN video_heatmap_counts.last_day IS 'Last UTC day of the epoch';
COMMENT ON COLUMN video_heatmap_counts.last_sec IS 'Last watched second';
COMMENT ON COLUMN video_heatmap_counts.exact IS 'Whether the union of all buckets is an explicit set';
COMMENT ON COLUMN video_heatmap_counts.bucket IS 'Numbers of the watched buckets, ascending';
COMMENT ON COLUMN video_heatmap_counts.viewers IS 'Rounded estimate of the viewers present in each';
COMMENT ON COLUMN video_heatmap_counts.reached IS 'Rounded estimate of the viewers present in each or any later one';
COMMENT ON COLUMN video_heatmap_counts.plays IS 'Plays of each';
