-- advance_sealing
-- $1 date      the night has sealed all days before this one
-- $2 date      what is appended to days before this one is noted from now on
-- $3 bigint[]  notes that the night has read
WITH done AS (
    DELETE FROM sample_notes WHERE id = ANY ($3::bigint[])
)
UPDATE sample_settings SET sealed_to = greatest(sealed_to, $1), noted_to = greatest(noted_to, $2)
