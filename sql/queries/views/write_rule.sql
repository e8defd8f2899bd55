-- write_rule
-- $1 integer  seconds after which a session is a view, NULL leaves them
-- $2 integer  minutes in which a viewer counts once, NULL leaves them
UPDATE view_rule
SET after_secs = coalesce($1, after_secs), window_mins = coalesce($2, window_mins)
WHERE (after_secs, window_mins) IS DISTINCT FROM (coalesce($1, after_secs), coalesce($2, window_mins))
