-- Trending: two decaying masses of new viewers a video and region, and the keys that keep their order without anybody
-- touching a row that stands still.

CREATE TABLE trending (
    recent double precision NOT NULL CHECK (recent > 0),
    baseline double precision NOT NULL CHECK (baseline > 0),
    at timestamptz NOT NULL,
    born timestamptz NOT NULL,
    recent_key integer NOT NULL,
    baseline_key integer NOT NULL,
    video_id text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    PRIMARY KEY (video_id, region)
)
-- Keys count quarters of a doubling, so most folds change no indexed column, and the row changes in its page.
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX trending_recent ON trending (region, recent_key DESC);
CREATE INDEX trending_baseline ON trending (region, baseline_key DESC);
COMMENT ON TABLE trending IS 'How many new viewers videos have of late: written by the fold, read in the order of the keys, removed when next to nothing is left';
COMMENT ON COLUMN trending.recent IS 'New viewers, each counting half as much after every half-life of hours, as of at';
COMMENT ON COLUMN trending.baseline IS 'The same with the half-life of days';
COMMENT ON COLUMN trending.at IS 'The masses are those of this moment: the latest of the new viewers';
COMMENT ON COLUMN trending.born IS 'The earliest of the new viewers';
COMMENT ON COLUMN trending.recent_key IS 'floor(4 * (log2(recent) + at / half-life)): the order of what recent is now, whenever it was written';
COMMENT ON COLUMN trending.baseline_key IS 'The same of baseline';
COMMENT ON COLUMN trending.video_id IS 'Video';
COMMENT ON COLUMN trending.region IS 'Region, or GLOBAL';

-- In the database and not in each process: keys of two half-lives have no common order.
CREATE TABLE trending_half_lives (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    recent_secs integer NOT NULL CHECK (recent_secs > 0),
    baseline_secs integer NOT NULL CHECK (baseline_secs > 0)
);
INSERT INTO trending_half_lives (recent_secs, baseline_secs) VALUES (21600, 259200);
COMMENT ON TABLE trending_half_lives IS 'The half-lives that the keys of trending are made with, as last set; one row';
COMMENT ON COLUMN trending_half_lives.only_row IS 'Keeps the table to one row';
COMMENT ON COLUMN trending_half_lives.recent_secs IS 'Seconds after which a new viewer counts half in recent';
COMMENT ON COLUMN trending_half_lives.baseline_secs IS 'Seconds after which a new viewer counts half in baseline';
