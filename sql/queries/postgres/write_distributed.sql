-- write_distributed
-- $1 boolean  whether the statements for distributed tables are to be used
UPDATE engine SET distributed = $1 WHERE distributed <> $1
