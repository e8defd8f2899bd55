-- The ledger: what became of what players sent, by video and day, so that whoever was not counted can see why.
--
-- What the fold accepts is counted in the rows of whole videos that it writes anyway: exactly once, kept and removed with
-- the heatmap. Everything else has a row here, and no viewer is in any of them.

ALTER TABLE video_heatmap_whole_shards ADD COLUMN heartbeats bigint NOT NULL DEFAULT 0;
ALTER TABLE video_heatmap_whole ADD COLUMN heartbeats bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN video_heatmap_whole_shards.heartbeats IS 'Heartbeats that were accepted and folded';
COMMENT ON COLUMN video_heatmap_whole.heartbeats IS 'Heartbeats that were accepted and folded; 0 for what was folded before they were counted';

CREATE TABLE ledger (
    video_id text COLLATE "C" NOT NULL,
    day date NOT NULL,
    element text COLLATE "C" NOT NULL CHECK (element IN ('heartbeat', 'view')),
    outcome text COLLATE "C" NOT NULL,
    elements bigint NOT NULL,
    PRIMARY KEY (video_id, day, element, outcome)
)
-- Rows of today are counted up each second: their next versions find room on their page.
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX ledger_day ON ledger (day);
COMMENT ON TABLE ledger IS 'What became of elements that were not simply counted: refused, set aside, or views that repeat another';
COMMENT ON COLUMN ledger.video_id IS 'Video; empty for all videos of which nothing was ever accepted, together, so that nobody fills the table with names';
COMMENT ON COLUMN ledger.day IS 'UTC day that the element counts for, or on which it was refused';
COMMENT ON COLUMN ledger.element IS 'heartbeat or view';
COMMENT ON COLUMN ledger.outcome IS 'The reason why it was refused, as answers name it; set_aside where it could not be folded; repeated for an accepted view that does not count';
COMMENT ON COLUMN ledger.elements IS 'How many there were';
