-- read_rule
SELECT after_secs, window_mins FROM view_rule
