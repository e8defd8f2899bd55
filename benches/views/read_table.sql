-- Every view of the post; the people are counted by sorting them.
\set post random_zipfian(1, :posts, 1.05)
SELECT count(*), count(DISTINCT user_id) FROM post_view WHERE post_id = :post;
