-- append_watches
-- $1 text[]     videos
-- $2 date[]     days of capture
-- $3 integer[]  viewers of the stretches
-- $4 bigint[]   thresholds, NULL where nobody was thinned
-- $5 bytea[]    stretches
-- $6 integer    the most viewers that a row may say it has
-- $7 integer    the most bytes that may be open; where a row has many sealed, an eighth of those
-- Nothing is read to write: stretches are put behind those that are there, whoever came before. Returns the rows that have
-- grown so that they have to be sealed, which are locked from here on. Sorted, so that two transactions do not wait for each other
-- in a circle.
WITH appended AS (
    INSERT INTO sampled_watches AS s (video_id, captured_on, viewers, threshold, open)
    SELECT a.video_id, a.captured_on, a.viewers, a.threshold, a.open
    FROM unnest($1::text[], $2::date[], $3::integer[], $4::bigint[], $5::bytea[])
        AS a (video_id, captured_on, viewers, threshold, open)
    ORDER BY a.video_id COLLATE "C", a.captured_on
    ON CONFLICT (video_id, captured_on) DO UPDATE SET
        viewers = s.viewers + EXCLUDED.viewers,
        -- The lower of the two; NULL stands for none.
        threshold = least(s.threshold, EXCLUDED.threshold),
        open = s.open || EXCLUDED.open
    RETURNING s.video_id, s.captured_on, s.viewers, octet_length(s.open) AS open_bytes, octet_length(s.sealed) AS sealed_bytes
)
SELECT video_id, captured_on, viewers
FROM appended
WHERE viewers > $6 OR open_bytes > greatest($7, sealed_bytes / 8)
ORDER BY video_id, captured_on
