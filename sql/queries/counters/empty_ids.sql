-- empty_ids
SELECT empty_counter_ids() AS emptied
