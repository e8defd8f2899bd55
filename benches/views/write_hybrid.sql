-- A row a viewer.
\set post random_zipfian(1, :posts, 1.05)
\set viewer random(1, :viewers)
INSERT INTO recent_post_view VALUES (:post, :viewer, now()) ON CONFLICT (post_id, user_id) DO NOTHING;
