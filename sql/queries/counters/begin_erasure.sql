-- begin_erasure
-- $1 text  id of a member
-- $2 uuid  key of the id
-- Waits for those who count for the member at this moment; from now on nobody finds it. Nothing where it is not there.
WITH gone AS (
    UPDATE counter_members SET member_id = NULL WHERE member_id = $1 RETURNING member
)
INSERT INTO counter_erasures (member, name_key)
SELECT member, $2 FROM gone
