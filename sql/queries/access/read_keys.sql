-- read_keys
SELECT
    name, role, hash, origins, video_prefix, namespace, signing_secret,
    min_audience, requests_per_sec, watched_secs_per_min, made_at, revoked_at
FROM access_keys
ORDER BY name
