-- vacuum_salt_epochs
-- Removes dead rows, as far as no snapshot still sees them, and counts those that are left.
VACUUM salt_epochs
