-- insert_kind
-- $1 text  name
-- $2 text  mode
-- Nothing where there is one of this name, whatever its mode.
INSERT INTO counter_kinds (name, mode) VALUES ($1, $2)
ON CONFLICT (name) DO NOTHING
