-- The catalogue: what is known of a video beside what people watched of it. Everything is optional, and videos without an
-- entry are as welcome as others.

CREATE TABLE catalogue (
    video_id text COLLATE "C" PRIMARY KEY,
    title text,
    duration_sec double precision CHECK (duration_sec > 0),
    channel text COLLATE "C",
    thumbnail_url text,
    published_at timestamptz,
    change bigint NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX catalogue_channel ON catalogue (channel, video_id) WHERE channel IS NOT NULL;
CREATE INDEX catalogue_change ON catalogue (change);
COMMENT ON TABLE catalogue IS 'What is known of a video beside what people watched of it, as its owner said it';
COMMENT ON COLUMN catalogue.video_id IS 'Video';
COMMENT ON COLUMN catalogue.title IS 'Title, for people';
COMMENT ON COLUMN catalogue.duration_sec IS 'Length in seconds: bounds heartbeats, and strips are trimmed to it';
COMMENT ON COLUMN catalogue.channel IS 'Channel, series or whatever videos belong to together';
COMMENT ON COLUMN catalogue.thumbnail_url IS 'Address of a small picture';
COMMENT ON COLUMN catalogue.published_at IS 'When it was published';
COMMENT ON COLUMN catalogue.change IS 'Number of the change that wrote the entry last';
COMMENT ON COLUMN catalogue.updated_at IS 'When that was';

-- Every writer takes the next number first and holds this row to its commit, so that numbers become visible in their order:
-- whoever has seen a number has seen all before it.
CREATE TABLE catalogue_changes (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    change bigint NOT NULL,
    removal bigint NOT NULL
)
WITH (fillfactor = 10);
COMMENT ON TABLE catalogue_changes IS 'One row: how often the catalogue changed, by which processes notice that it did';
COMMENT ON COLUMN catalogue_changes.only_row IS 'Always true: there is one row';
COMMENT ON COLUMN catalogue_changes.change IS 'Number of the latest change; 0 while there never was an entry';
COMMENT ON COLUMN catalogue_changes.removal IS 'Number of the latest change that removed an entry';
INSERT INTO catalogue_changes (change, removal) VALUES (0, 0);
