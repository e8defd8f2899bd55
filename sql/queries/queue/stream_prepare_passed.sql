-- stream_prepare_passed
-- Whatever the role's setting is: what is removed from the stream must be folded for good.
SET LOCAL synchronous_commit = on
