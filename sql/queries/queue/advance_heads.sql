-- advance_heads
-- $1 integer  number of lanes
-- $2 boolean  look at all rows, dead ones too
SELECT advance_queue_heads($1, $2) AS advanced
