-- add_to_ledger
-- $1 text[]    videos, empty for those of which nothing was ever accepted
-- $2 date[]    days
-- $3 text[]    elements: heartbeat or view
-- $4 text[]    outcomes
-- $5 bigint[]  elements to add
-- Sorted, so that two transactions do not wait for each other in a circle.
INSERT INTO ledger AS l (video_id, day, element, outcome, elements)
SELECT n.video_id, n.day, n.element, n.outcome, sum(n.elements)::bigint
FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[]) AS n (video_id, day, element, outcome, elements)
GROUP BY n.video_id, n.day, n.element, n.outcome
ORDER BY n.video_id COLLATE "C", n.day, n.element COLLATE "C", n.outcome COLLATE "C"
ON CONFLICT (video_id, day, element, outcome) DO UPDATE SET elements = l.elements + EXCLUDED.elements
