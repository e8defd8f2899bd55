-- end_erasure
-- $1 bigint  member, its erasure locked, of whom there are no records
WITH ended AS (
    DELETE FROM counter_erasures WHERE member = $1 RETURNING member
)
DELETE FROM counter_members AS n USING ended AS e WHERE n.member = e.member
