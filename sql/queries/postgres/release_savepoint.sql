-- release_savepoint
RELEASE SAVEPOINT one_heartbeat
