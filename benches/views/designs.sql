-- The tables of the six designs that are compared, each as its article describes it. :posts is how many posts there are.

-- A column that every view raises.
CREATE TABLE full_counter (id bigint PRIMARY KEY, title text NOT NULL, views bigint NOT NULL DEFAULT 0);
INSERT INTO full_counter SELECT n, 'A post' FROM generate_series(1, :posts) AS n;

-- A column that one view in ten raises by one; what is read is ten times that.
CREATE TABLE probabilistic (LIKE full_counter INCLUDING ALL);
INSERT INTO probabilistic SELECT * FROM full_counter;

-- Twenty rows a post, of which a view raises any.
CREATE TABLE sharded (post_id bigint, shard smallint, views bigint NOT NULL DEFAULT 0, PRIMARY KEY (post_id, shard));
INSERT INTO sharded SELECT id, shard FROM full_counter, generate_series(0, 19) AS shard;

-- What was counted in Redis by the last flush.
CREATE TABLE flushed (LIKE full_counter INCLUDING ALL);
INSERT INTO flushed SELECT * FROM full_counter;

-- A row a view.
CREATE TABLE post_view (post_id bigint NOT NULL, user_id bigint NOT NULL, viewed_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON post_view (post_id);

-- A row a viewer as long as they are recent, and a column for the views of those that were archived.
CREATE TABLE hybrid (id bigint PRIMARY KEY, title text NOT NULL, archived_views bigint NOT NULL DEFAULT 0);
INSERT INTO hybrid SELECT id, title FROM full_counter;
CREATE TABLE recent_post_view (post_id bigint, user_id bigint, viewed_at timestamptz NOT NULL, UNIQUE (post_id, user_id));

ANALYZE;
