-- What one writes first: the record under a unique key, and the total in its own row. Ids are numbers already.
\set member random(1, 2000000000)
\set object 1
BEGIN;
WITH new AS (
    INSERT INTO naive_records VALUES (:object, 2, :member, now()) ON CONFLICT DO NOTHING RETURNING 1
)
UPDATE naive_totals SET total = total + (SELECT count(*) FROM new) WHERE object = :object AND kind = 2;
COMMIT;
