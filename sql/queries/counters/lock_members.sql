-- lock_members
-- $1 text[]  ids of members
-- Held until the commit: whoever erases a member waits for those who count for it, and whoever counts for a member that is
-- being erased finds nobody here.
SELECT member, member_id
FROM counter_members
WHERE member_id = ANY ($1)
ORDER BY member_id
FOR KEY SHARE
