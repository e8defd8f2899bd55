-- savepoint
SAVEPOINT one_heartbeat
