-- The seed's three numbers of 64 bits, with its indexes on h, s and the id, in as many rows: bytes a record.
DROP TABLE IF EXISTS naive_seed;
CREATE TABLE naive_seed (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, h bigint NOT NULL, s bigint NOT NULL, w bigint NOT NULL);
CREATE INDEX ON naive_seed (h);
CREATE INDEX ON naive_seed (s);
INSERT INTO naive_seed (h, s, w)
SELECT (2::bigint << 42) | n, (floor(random() * :objects)::bigint << 32) | floor(random() * :members)::bigint, n
FROM generate_series(1, :records) n;
SELECT :records AS records, round(pg_total_relation_size('naive_seed')::numeric / :records, 1) AS bytes_a_record;
