-- end_erasure
-- $1 bigint  member, its erasure locked, of whom there are no records
WITH ended AS (
    UPDATE counter_erasures SET ended_at = now() WHERE member = $1 RETURNING member
)
DELETE FROM counter_members AS n USING ended AS e WHERE n.member = e.member
