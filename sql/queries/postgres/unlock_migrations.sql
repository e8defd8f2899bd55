-- unlock_migrations
SELECT pg_advisory_unlock(hashtext('heatstrip migrations'), 0)
