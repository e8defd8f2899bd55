-- Twenty rows a post.
\set post random_zipfian(1, :posts, 1.05)
\set viewer random(1, :viewers)
\set shard random(0, 19)
UPDATE sharded SET views = views + 1 WHERE post_id = :post AND shard = :shard;
