-- read_schema_version
SELECT max(version)::integer AS version FROM refinery_schema_history
