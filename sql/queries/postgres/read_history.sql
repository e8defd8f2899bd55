-- read_history
SELECT version, name, checksum FROM refinery_schema_history ORDER BY version
