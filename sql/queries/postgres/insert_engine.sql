-- insert_engine
-- $1 smallint  lanes
INSERT INTO engine (lanes) VALUES ($1)
ON CONFLICT (only_row) DO NOTHING
