-- A column that every view raises.
\set post random_zipfian(1, :posts, 1.05)
\set viewer random(1, :viewers)
UPDATE full_counter SET views = views + 1 WHERE id = :post;
