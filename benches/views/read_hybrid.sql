-- One row, and every recent viewer of the post.
\set post random_zipfian(1, :posts, 1.05)
SELECT archived_views + (SELECT count(*) FROM recent_post_view AS r WHERE r.post_id = p.id) FROM hybrid AS p WHERE id = :post;
