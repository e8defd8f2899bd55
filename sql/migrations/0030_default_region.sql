-- The region under which is counted what comes from yet another region once a video has very many on a day.

CREATE TABLE default_region (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    region text COLLATE "C" NOT NULL
);
INSERT INTO default_region (region) VALUES ('ZZ');
COMMENT ON TABLE default_region IS 'The region of whoever names none, as the server that started last has it; one row';
COMMENT ON COLUMN default_region.only_row IS 'Keeps the table to one row';
COMMENT ON COLUMN default_region.region IS 'Region; what is beyond the most regions of a video and day counts under it';
