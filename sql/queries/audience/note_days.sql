-- note_days
-- $1 date[]  days that a step appends to, which the night looks at no more
INSERT INTO sample_notes (captured_on) SELECT day FROM unnest($1::date[]) AS d (day)
