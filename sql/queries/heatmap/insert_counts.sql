-- insert_counts
-- $1 text      video
-- $2 text      region, GLOBAL too
-- $3 smallint  level
-- $4 date      first day of the epoch
-- $5 date      last day of it
-- $6 integer   last watched second
-- $7 boolean   whether the union of all buckets is an explicit set
-- $8 integer[]  numbers of the watched buckets, ascending
-- $9 bigint[]   viewers of each
-- $10 bigint[]  viewers of each or any later one
-- $11 bigint[]  plays of each
INSERT INTO video_heatmap_counts
    (video_id, region, level, first_day, last_day, last_sec, exact, bucket, viewers, reached, plays)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (video_id, region, level, first_day) DO NOTHING
