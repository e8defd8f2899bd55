-- Twenty rows.
\set post random_zipfian(1, :posts, 1.05)
SELECT sum(views) FROM sharded WHERE post_id = :post;
