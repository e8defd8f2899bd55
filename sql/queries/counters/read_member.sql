-- read_member
-- $1 text  id of a member
SELECT member FROM counter_members WHERE member_id = $1
