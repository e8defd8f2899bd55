-- One view in ten is written.
\set post random_zipfian(1, :posts, 1.05)
\set viewer random(1, :viewers)
\set draw random(1, 10)
\if :draw = 1
UPDATE probabilistic SET views = views + 1 WHERE id = :post;
\endif
