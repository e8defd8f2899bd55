-- read_counts
-- $1 text      video
-- $2 text      region, GLOBAL for all
-- $3 smallint  level
-- $4 date[]    first days of the epochs
-- $5 date[]    first days of the salt epochs that the whole range touches, ascending
SELECT width_bucket(c.first_day, $5::date[]) - 1 AS epoch, b.bucket, b.plays AS seconds_played, c.last_sec, b.viewers,
    b.reached, c.exact
FROM video_heatmap_counts AS c
CROSS JOIN LATERAL unnest(c.bucket, c.viewers, c.reached, c.plays) AS b (bucket, viewers, reached, plays)
WHERE c.video_id = $1 AND c.region = $2 AND c.level = $3 AND c.first_day = ANY ($4::date[])
ORDER BY epoch, b.bucket
