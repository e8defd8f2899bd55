-- next_change
UPDATE catalogue_changes SET change = change + 1 RETURNING change
