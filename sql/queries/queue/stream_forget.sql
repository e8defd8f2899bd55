-- stream_forget
-- $1 text     video
-- $2 date     day, NULL for all
-- $3 text     region, NULL for all
-- $4 integer  the seconds behind this one, NULL for all
-- $5 bigint   the last message of the stream
INSERT INTO queue_stream_forgotten (video_id, captured_on, region, after_sec, through) VALUES ($1, $2, $3, $4, $5)
