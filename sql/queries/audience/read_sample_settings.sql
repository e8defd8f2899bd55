-- read_sample_settings
-- $1 date[]  days that are about to be written
-- Also those of the days that have no partition yet.
SELECT size, kept_from, noted_to, ARRAY(
    SELECT d.day
    FROM unnest($1::date[]) AS d (day)
    WHERE NOT EXISTS (SELECT 1 FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'sampled_watches'::regclass AND c.relname = to_char(d.day, '"sampled_watches_"YYYYMMDD'))
) AS missing_days
FROM sample_settings
