-- read_erasable
-- $1 bigint  member
-- $2 bigint  records and blocks at most
-- In one snapshot: the night moves records from rows to blocks, and whoever looked at one after the other could miss both.
(SELECT counter FROM counter_marks WHERE member = $1 LIMIT $2)
UNION ALL
(SELECT counter FROM counter_events WHERE member = $1 LIMIT $2)
UNION ALL
(SELECT counter FROM counter_blocks WHERE members @> ARRAY[$1::bigint] LIMIT $2)
