-- insert_key
-- $1 text: the name
-- $2 text: the role
-- $3 bytea: the digest of the key
-- $4 text[]: the origins
-- $5 text: what videos begin with, or NULL
-- $6 text: the namespace, or NULL
-- $7 text: the signing secret, or NULL
-- $8 bigint: the minimum audience, or NULL
-- $9 bigint: requests a second, or NULL
-- $10 bigint: watched seconds a minute, or NULL
-- $11 timestamptz: now
INSERT INTO access_keys (
    name, role, hash, origins, video_prefix, namespace, signing_secret,
    min_audience, requests_per_sec, watched_secs_per_min, made_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (name) DO NOTHING
