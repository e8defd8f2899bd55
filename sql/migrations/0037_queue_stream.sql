-- A NATS stream as the queue: how far it is read and folded stands here, so that a message counts once whatever is read again.

CREATE TABLE queue_stream (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    name text NOT NULL,
    created text NOT NULL,
    generation integer NOT NULL,
    registered bigint NOT NULL CHECK (registered >= 0),
    registered_message text,
    heartbeats bigint NOT NULL
)
-- Written by every look at the stream: its versions find room on their page.
WITH (fillfactor = 10);
COMMENT ON TABLE queue_stream IS 'The NATS stream that is the queue; no row, and the queue is the table heartbeat_queue; one row';
COMMENT ON COLUMN queue_stream.only_row IS 'Keeps the table to one row';
COMMENT ON COLUMN queue_stream.name IS 'The name of the stream';
COMMENT ON COLUMN queue_stream.created IS 'When the server made the stream, in its words: a stream made anew counts its messages from 1 again';
COMMENT ON COLUMN queue_stream.generation IS 'Grows when another stream is taken: what was read of the one before is worth nothing from then on';
COMMENT ON COLUMN queue_stream.registered IS 'The sequence of the last message whose batch ids were looked at; no lane is folded beyond it';
COMMENT ON COLUMN queue_stream.registered_message IS 'The id of that message, NULL before the first: another message in its place means that the stream was changed behind us';
COMMENT ON COLUMN queue_stream.heartbeats IS 'Heartbeats and views of all registered messages, repeated ones too';

CREATE TABLE queue_stream_lanes (
    lane smallint PRIMARY KEY CHECK (lane >= 0),
    generation integer NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 0),
    heartbeats bigint NOT NULL
)
-- Written by every step: its versions find room on their page.
WITH (fillfactor = 10);
COMMENT ON TABLE queue_stream_lanes IS 'How far each lane of the stream is folded; changed by the transaction that folds, and by no other';
COMMENT ON COLUMN queue_stream_lanes.lane IS 'The lane';
COMMENT ON COLUMN queue_stream_lanes.generation IS 'That of the stream that the sequence counts in';
COMMENT ON COLUMN queue_stream_lanes.sequence IS 'What the lane has in the messages through this one is folded';
COMMENT ON COLUMN queue_stream_lanes.heartbeats IS 'Heartbeats and views of the lane in those messages, repeated ones too';

CREATE TABLE queue_stream_repeats (
    sequence bigint NOT NULL,
    batch integer NOT NULL CHECK (batch >= 0),
    PRIMARY KEY (sequence, batch)
);
COMMENT ON TABLE queue_stream_repeats IS 'Batches in the stream that an earlier message had already: nobody folds them; kept until every lane has passed them';
COMMENT ON COLUMN queue_stream_repeats.sequence IS 'The message';
COMMENT ON COLUMN queue_stream_repeats.batch IS 'The place of the batch in the message, from 0';

CREATE TABLE queue_stream_forgotten (
    video_id text NOT NULL,
    captured_on date,
    region text,
    after_sec integer,
    through bigint NOT NULL
);
COMMENT ON TABLE queue_stream_forgotten IS 'Videos whose heartbeats and views are to be forgotten that were in the stream by then: a message cannot be changed, so the fold passes over them; kept until every lane has passed them';
COMMENT ON COLUMN queue_stream_forgotten.video_id IS 'The video';
COMMENT ON COLUMN queue_stream_forgotten.captured_on IS 'Of this UTC day, NULL for all';
COMMENT ON COLUMN queue_stream_forgotten.region IS 'Of this region, NULL for all';
COMMENT ON COLUMN queue_stream_forgotten.after_sec IS 'The seconds behind this one, NULL for all';
COMMENT ON COLUMN queue_stream_forgotten.through IS 'The last message of the stream at that time';
