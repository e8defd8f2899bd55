-- Keys: who may write and read. What is kept of a key tells it from others and opens nothing.

CREATE TABLE access_keys (
    name text COLLATE "C" PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('player', 'reader', 'server')),
    hash bytea UNIQUE CHECK (octet_length(hash) = 32),
    origins text[] NOT NULL,
    video_prefix text COLLATE "C",
    namespace text COLLATE "C",
    signing_secret text COLLATE "C",
    min_audience bigint CHECK (min_audience > 0),
    requests_per_sec bigint CHECK (requests_per_sec > 0),
    watched_secs_per_min bigint CHECK (watched_secs_per_min > 0),
    made_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CHECK ((hash IS NULL) = (revoked_at IS NOT NULL))
);
COMMENT ON TABLE access_keys IS 'Keys; once there is a row, revoked or not, nobody gets in without one';
COMMENT ON COLUMN access_keys.name IS 'Name of the key, never given twice; part of what is signed';
COMMENT ON COLUMN access_keys.role IS 'player: writes; reader: reads; server: does everything';
COMMENT ON COLUMN access_keys.hash IS 'BLAKE2b-256 of the key; NULL once it is revoked';
COMMENT ON COLUMN access_keys.origins IS 'Origins of the pages that may use it; empty for any';
COMMENT ON COLUMN access_keys.video_prefix IS 'What the ids of its videos begin with; NULL for any';
COMMENT ON COLUMN access_keys.namespace IS 'Viewers are hashed within it; NULL for the one that all share';
COMMENT ON COLUMN access_keys.signing_secret IS 'Viewer ids are signed with it, readable because it has to verify; NULL if they are not, and once it is revoked';
COMMENT ON COLUMN access_keys.min_audience IS 'What fewer viewers did is withheld from its holder; NULL for nothing';
COMMENT ON COLUMN access_keys.requests_per_sec IS 'Requests a second and client; NULL for the default of its role';
COMMENT ON COLUMN access_keys.watched_secs_per_min IS 'Watched seconds a minute and client; NULL for the default of its role';
COMMENT ON COLUMN access_keys.made_at IS 'When it was made';
COMMENT ON COLUMN access_keys.revoked_at IS 'When it was revoked; NULL while it is good';
