-- A row a view.
\set post random_zipfian(1, :posts, 1.05)
\set viewer random(1, :viewers)
INSERT INTO post_view (post_id, user_id) VALUES (:post, :viewer);
