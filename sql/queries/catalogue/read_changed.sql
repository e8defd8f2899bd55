-- read_changed
-- $1 bigint  number of a change
-- $2 bigint  most videos
-- The videos whose entries were written after that change.
SELECT video_id FROM catalogue WHERE change > $1 ORDER BY change LIMIT $2
