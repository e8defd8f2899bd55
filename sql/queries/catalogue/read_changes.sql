-- read_changes
SELECT change, removal FROM catalogue_changes
