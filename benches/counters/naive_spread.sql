\set member random(1, 50000)
\set object random(1, 100000)
BEGIN;
WITH new AS (
    INSERT INTO naive_records VALUES (:object, 2, :member, now()) ON CONFLICT DO NOTHING RETURNING 1
)
UPDATE naive_totals SET total = total + (SELECT count(*) FROM new) WHERE object = :object AND kind = 2;
COMMIT;
