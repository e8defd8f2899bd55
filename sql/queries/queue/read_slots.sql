-- read_slots
-- $1 text  ring
-- The slot that ids go to, and the one before it.
SELECT (first_slot + position)::smallint AS current_slot, (first_slot + (position + 2) % 3)::smallint AS previous_slot
FROM batch_id_rings
WHERE ring = $1
