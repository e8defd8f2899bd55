-- stream_read_forgotten
-- $1 bigint  behind this message
SELECT video_id, captured_on, region, after_sec, through FROM queue_stream_forgotten WHERE through > $1
