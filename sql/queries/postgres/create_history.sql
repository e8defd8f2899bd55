-- create_history
-- As refinery makes it, which applied the migrations of earlier versions.
CREATE TABLE IF NOT EXISTS refinery_schema_history (
    version integer PRIMARY KEY,
    name varchar(255),
    applied_on varchar(255),
    checksum varchar(255)
)
