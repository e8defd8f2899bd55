-- One row.
\set post random_zipfian(1, :posts, 1.05)
SELECT views * 10 FROM probabilistic WHERE id = :post;
