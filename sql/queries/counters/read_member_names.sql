-- read_member_names
-- $1 bigint[]  members
-- Nobody for those that are being erased.
SELECT member, member_id FROM counter_members WHERE member = ANY ($1) AND member_id IS NOT NULL
