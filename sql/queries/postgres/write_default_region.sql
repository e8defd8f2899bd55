-- write_default_region
-- $1 text  region
UPDATE default_region SET region = $1 WHERE region <> $1
