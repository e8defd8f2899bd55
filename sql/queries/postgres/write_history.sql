-- write_history
-- $1 integer  version
-- $2 text     name
-- $3 text     when it was applied
-- $4 text     checksum
INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES ($1, $2, $3, $4)
