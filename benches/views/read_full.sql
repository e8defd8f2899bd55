-- One row.
\set post random_zipfian(1, :posts, 1.05)
SELECT views FROM full_counter WHERE id = :post;
