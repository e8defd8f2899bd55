-- What the nights did, and where their work goes on: a night costs what is new, however much there is.

CREATE TABLE nights (
    step text PRIMARY KEY,
    tried_at timestamptz NOT NULL,
    succeeded_at timestamptz,
    failure text
);
COMMENT ON TABLE nights IS 'What became of each step of the nightly job, whichever process ran it: a row per step, and one for the clocks';
COMMENT ON COLUMN nights.step IS 'Step; clocks: the comparison of the clocks that comes before what cannot be undone';
COMMENT ON COLUMN nights.tried_at IS 'When it was last tried';
COMMENT ON COLUMN nights.succeeded_at IS 'When it last succeeded, NULL if it never did; for the clocks the last instant that was trusted';
COMMENT ON COLUMN nights.failure IS 'Why it failed when it was last tried; NULL if it succeeded';

-- Days that are thinned are not looked at again.
ALTER TABLE retention ADD COLUMN thinned_to date NOT NULL DEFAULT '0001-01-01';
COMMENT ON COLUMN retention.thinned_to IS 'No seconds are left of days before this one: thinning begins here';

-- Which video-days of spread blocks have changed since their epoch was last counted. Whoever changes a spread block notes
-- it in the same transaction, and the night takes notes of epochs that are over.
CREATE TABLE video_heatmap_uncounted (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    changes bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (video_id, captured_on)
)
-- A popular video's note changes with every compaction: its next versions find room on their page.
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE video_heatmap_uncounted IS 'Video-days whose spread blocks have changed since the estimates of their salt epoch were last kept; the night empties it for epochs that are over';
COMMENT ON COLUMN video_heatmap_uncounted.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_uncounted.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_uncounted.changes IS 'How often they have changed: who counts without a lock sees by it that something changed meanwhile';
-- The night looks for the days of an epoch.
CREATE INDEX video_heatmap_uncounted_days ON video_heatmap_uncounted (captured_on, video_id);
-- The nights of earlier versions looked at the epochs of a week; older ones are counted.
INSERT INTO video_heatmap_uncounted (video_id, captured_on)
SELECT DISTINCT video_id, captured_on
FROM video_heatmap_spread
WHERE captured_on > (SELECT max(captured_on) FROM video_heatmap_spread) - 8;
