-- delete_faded
-- $1 text[]   videos
-- $2 integer  rows of a lower key are next to nothing by their recent mass,
-- $3 integer  and those of a lower one by their baseline
-- The keys are compared again: a fold may have added to a row since it was found.
DELETE FROM trending WHERE video_id = ANY ($1::text[]) AND recent_key < $2 AND baseline_key < $3
