-- rollback_to_savepoint
ROLLBACK TO SAVEPOINT one_heartbeat
