-- Views: the number under a video. How often it was viewed, by how many people recently, and by how many ever.
--
-- As for the heatmap: video_id leads every key, times come in as data, and a sketch is never indexed.

-- Views are hashed with salts of their own, so that a view and a heartbeat of one person have nothing in common.
ALTER TABLE salt_epochs
    ADD COLUMN purpose text NOT NULL DEFAULT 'heartbeats' CHECK (purpose IN ('heartbeats', 'views')),
    DROP CONSTRAINT salt_epochs_daterange_excl,
    -- One constraint a purpose: a single one over both columns would need the extension btree_gist.
    ADD CONSTRAINT salt_epochs_heartbeats_excl
        EXCLUDE USING gist (daterange(first_day, last_day, '[]') WITH &&) WHERE (purpose = 'heartbeats'),
    ADD CONSTRAINT salt_epochs_views_excl
        EXCLUDE USING gist (daterange(first_day, last_day, '[]') WITH &&) WHERE (purpose = 'views');
COMMENT ON COLUMN salt_epochs.purpose IS 'What the salt is for: heartbeats or views; a day belongs to one epoch of each purpose';
COMMENT ON COLUMN salt_epochs.used_through IS 'Last UTC day whose viewers may have been hashed with the salt, committed before the first such hash: the epoch never ends before it; NULL if there is none';

COMMENT ON TABLE heartbeat_queue IS 'Accepted heartbeats and views that are not folded yet: a row is one lane of a group-committed batch, deleted by the transaction that folds it';
COMMENT ON COLUMN heartbeat_queue.heartbeats IS 'How many heartbeats and views the row holds';
COMMENT ON COLUMN heartbeat_queue.payload IS 'The heartbeats and views, as events::hashed lays them out; NULL where an earlier version wrote the row, whose heartbeats are in the arrays';
COMMENT ON TABLE heartbeat_queue_failed IS 'Heartbeats and views that could not be folded even alone, set aside so that they block nobody, and rows of the queue that could not be read';
COMMENT ON COLUMN heartbeat_queue_failed.payload IS 'A row of the queue that could not be read, or a view as it was queued; NULL for a heartbeat, which is in the other columns';

-- Not partitioned by time: a key across partitions would be none, and it is the key that makes a viewer count once.
CREATE TABLE recent_views (
    viewer bigint NOT NULL,
    views bigint NOT NULL CHECK (views > 0),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    first_counted_at timestamptz NOT NULL,
    last_counted_at timestamptz NOT NULL,
    epoch date NOT NULL,
    last_day date NOT NULL,
    video_id text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    PRIMARY KEY (video_id, viewer)
)
-- Who comes back on the same day changes no index as long as the page has room.
WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05,
      autovacuum_vacuum_cost_delay = 0);
CREATE INDEX recent_views_viewer ON recent_views (viewer, video_id);
CREATE INDEX recent_views_last_day ON recent_views (last_day);
COMMENT ON TABLE recent_views IS 'Who viewed a video recently: a row a video and viewer, archived once the last view is old enough';
COMMENT ON COLUMN recent_views.viewer IS 'Salted hash of the viewer, or of the user that this device is bound to';
COMMENT ON COLUMN recent_views.views IS 'Views that counted';
COMMENT ON COLUMN recent_views.first_at IS 'The earliest view, counted or not';
COMMENT ON COLUMN recent_views.last_at IS 'The latest view, counted or not';
COMMENT ON COLUMN recent_views.first_counted_at IS 'The earliest view that counted';
COMMENT ON COLUMN recent_views.last_counted_at IS 'The latest view that counted';
COMMENT ON COLUMN recent_views.epoch IS 'First day of the salt epoch that the hash was made in';
COMMENT ON COLUMN recent_views.last_day IS 'UTC day of the latest view: the archive finds its rows by it, and it changes once a day at most';
COMMENT ON COLUMN recent_views.video_id IS 'Video';
COMMENT ON COLUMN recent_views.region IS 'Region of the first view that was folded';

CREATE TABLE view_totals (
    views bigint NOT NULL DEFAULT 0,
    recent_viewers bigint NOT NULL DEFAULT 0,
    lifetime_viewers bigint NOT NULL DEFAULT 0,
    archived_viewers bigint NOT NULL DEFAULT 0,
    merged_viewers bigint NOT NULL DEFAULT 0,
    starting_views bigint NOT NULL DEFAULT 0,
    dropped_views bigint NOT NULL DEFAULT 0,
    estimated_epochs integer NOT NULL DEFAULT 0,
    first_epoch date,
    last_epoch date,
    video_id text COLLATE "C" PRIMARY KEY
)
WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE view_totals IS 'What a page shows: one row a video, changed by whoever changes what it counts, in the same transaction and under the lock of this row';
COMMENT ON COLUMN view_totals.views IS 'Views that counted: starting_views, dropped_views and those of all days';
COMMENT ON COLUMN view_totals.recent_viewers IS 'Rows of recent_views';
COMMENT ON COLUMN view_totals.lifetime_viewers IS 'Rounded estimates of view_epochs, added';
COMMENT ON COLUMN view_totals.archived_viewers IS 'Rows that the archive has taken out of recent_views';
COMMENT ON COLUMN view_totals.merged_viewers IS 'Rows that became another viewer''s by identify: by so many may sketches count too much';
COMMENT ON COLUMN view_totals.starting_views IS 'What was counted before there were views here, as imported';
COMMENT ON COLUMN view_totals.dropped_views IS 'Views of days that are not kept any more';
COMMENT ON COLUMN view_totals.estimated_epochs IS 'Epochs whose sketch is no list of its viewers any more';
COMMENT ON COLUMN view_totals.first_epoch IS 'First day of the first epoch with views';
COMMENT ON COLUMN view_totals.last_epoch IS 'First day of the last epoch with views';
COMMENT ON COLUMN view_totals.video_id IS 'Video';

-- Sketches change with most folds: room on the page keeps the key out of it. A dense one of 2,563 bytes stays in its row.
CREATE TABLE view_epochs (
    video_id text COLLATE "C" NOT NULL,
    epoch date NOT NULL,
    viewers hll(12, 5) NOT NULL,
    PRIMARY KEY (video_id, epoch)
)
WITH (fillfactor = 60, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE view_epochs IS 'Everybody who ever viewed a video, by salt epoch; written under the lock of the row of view_totals';
COMMENT ON COLUMN view_epochs.video_id IS 'Video';
COMMENT ON COLUMN view_epochs.epoch IS 'First day of the salt epoch';
COMMENT ON COLUMN view_epochs.viewers IS 'Sketch of its viewers';

CREATE TABLE view_days (
    video_id text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    day date NOT NULL,
    epoch date NOT NULL,
    views bigint NOT NULL,
    viewers hll(12, 5) NOT NULL,
    PRIMARY KEY (video_id, region, day)
)
WITH (fillfactor = 60, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX view_days_day ON view_days (day);
COMMENT ON TABLE view_days IS 'Views by day: of each region, and of all together as GLOBAL; written under the lock of the row of view_totals';
COMMENT ON COLUMN view_days.video_id IS 'Video';
COMMENT ON COLUMN view_days.region IS 'Region, or GLOBAL';
COMMENT ON COLUMN view_days.day IS 'UTC day of the views';
COMMENT ON COLUMN view_days.epoch IS 'First day of the salt epoch that the day belongs to';
COMMENT ON COLUMN view_days.views IS 'Views that counted';
COMMENT ON COLUMN view_days.viewers IS 'Sketch of their viewers';

CREATE TABLE view_months (
    video_id text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL,
    month date NOT NULL,
    epoch date NOT NULL,
    views bigint NOT NULL,
    viewers hll(12, 5) NOT NULL,
    PRIMARY KEY (video_id, region, month, epoch)
)
WITH (fillfactor = 60, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX view_months_month ON view_months (month);
COMMENT ON TABLE view_months IS 'The days of a month united, so that long ranges read few rows; a row never crosses an epoch';
COMMENT ON COLUMN view_months.video_id IS 'Video';
COMMENT ON COLUMN view_months.region IS 'Region, or GLOBAL';
COMMENT ON COLUMN view_months.month IS 'First day of the month';
COMMENT ON COLUMN view_months.epoch IS 'First day of the salt epoch that these days of the month belong to';
COMMENT ON COLUMN view_months.views IS 'Views that counted';
COMMENT ON COLUMN view_months.viewers IS 'Sketch of their viewers';

-- In the database and not in each process: what answers say is what the fold does.
CREATE TABLE view_rule (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    after_secs integer NOT NULL CHECK (after_secs >= 0),
    window_mins integer NOT NULL CHECK (window_mins >= 0)
);
INSERT INTO view_rule (after_secs, window_mins) VALUES (10, 30);
COMMENT ON TABLE view_rule IS 'What a view is, as last set; one row';
COMMENT ON COLUMN view_rule.only_row IS 'Keeps the table to one row';
COMMENT ON COLUMN view_rule.after_secs IS 'Seconds that a session must have played; half of the video where that is less';
COMMENT ON COLUMN view_rule.window_mins IS 'Minutes in which a viewer counts once a video';

CREATE TABLE view_archive (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    recent_from date
);
INSERT INTO view_archive DEFAULT VALUES;
COMMENT ON TABLE view_archive IS 'How far the archive is; one row';
COMMENT ON COLUMN view_archive.only_row IS 'Keeps the table to one row';
COMMENT ON COLUMN view_archive.recent_from IS 'First UTC day from which recent_views are kept, moved forward before anything is removed; NULL before the first archive';

CREATE TABLE view_bindings (
    device bigint NOT NULL,
    viewer bigint NOT NULL,
    epoch date NOT NULL,
    merged boolean NOT NULL DEFAULT false,
    PRIMARY KEY (epoch, device)
);
CREATE INDEX view_bindings_unmerged ON view_bindings (epoch, device) WHERE NOT merged;
COMMENT ON TABLE view_bindings IS 'Devices that are known to be a user''s, as salted hashes, by views'' salt epoch';
COMMENT ON COLUMN view_bindings.device IS 'Hash of the device';
COMMENT ON COLUMN view_bindings.viewer IS 'Hash of the user that it counts as, who may be bound to another in turn';
COMMENT ON COLUMN view_bindings.epoch IS 'First day of the salt epoch of both';
COMMENT ON COLUMN view_bindings.merged IS 'True once the device''s recent views have become the user''s';
