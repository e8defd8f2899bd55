-- What a video's viewers can be at most, so that the list of the most watched videos unites sketches of its candidates
-- alone.

CREATE TABLE video_heatmap_bounds (
    region text COLLATE "C" NOT NULL,
    month date NOT NULL,
    video_id text COLLATE "C" NOT NULL,
    viewers bigint NOT NULL,
    PRIMARY KEY (video_id, region, month)
);
COMMENT ON TABLE video_heatmap_bounds IS 'An upper bound of the viewers of a video in any days of a month: the sum of what compaction added, never a number to show. One row per video, region (and GLOBAL) and month';
COMMENT ON COLUMN video_heatmap_bounds.region IS 'Region, or GLOBAL for the union of all';
COMMENT ON COLUMN video_heatmap_bounds.month IS 'First UTC day of the month';
COMMENT ON COLUMN video_heatmap_bounds.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_bounds.viewers IS 'Sum of the rounded estimates of the sketches that were united into its whole-video rows of the month';

-- For the list: the videos of a region in a month without the rows of all others.
CREATE INDEX video_heatmap_bounds_list ON video_heatmap_bounds (region, month, video_id) INCLUDE (viewers);

INSERT INTO video_heatmap_bounds (region, month, video_id, viewers)
SELECT region, date_trunc('month', captured_on)::date, video_id, sum(round(hll_cardinality(viewers)))
FROM video_heatmap_whole
GROUP BY 1, 2, 3;
