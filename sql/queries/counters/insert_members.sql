-- insert_members
-- $1 text[]  ids of members
-- Sorted, so that two who make the same members do not wait for each other in a circle. Returns those that are new.
INSERT INTO counter_members (member_id)
SELECT a.member_id
FROM unnest($1::text[]) AS a (member_id)
ORDER BY a.member_id COLLATE "C"
ON CONFLICT (member_id) DO NOTHING
RETURNING member, member_id
