//! What the cold strips read: four weeks of two videos in both canonical forms, and two videos of today.

use tokio_postgres::Client;

use super::DAYS;

/// Closed days, all dense, as shard runs that the night will move: `film`, a run a second, which it spreads; `tail`, 500
/// runs of 12 s a day, which stay runs. Beside them the article's table with one day of `film`.
pub async fn closed_days(client: &Client, rotation: &str) -> anyhow::Result<()> {
    let epochs = match rotation {
        "daily" => "SELECT d, d FROM generate_series(current_date - 28, current_date, '1 day') AS d",
        // The month that is not over yet, as wide as the range.
        _ => "SELECT current_date - 28, current_date + 2",
    };
    // Neighbours differ in their plays, so that nothing can be joined that is counted as several runs here.
    client
        .batch_execute(&format!(
            "SET enable_hashagg = off;
             INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at)
                SELECT e.first_day, e.last_day, '{rotation}', '\\x00', now() FROM ({epochs}) AS e (first_day, last_day);
             CREATE TABLE pool AS
                SELECT n, (SELECT hll_add_agg(hll_hash_bigint(n * 500 + v), 12, 5, -1, 1) FROM generate_series(1, 6000) v) AS viewers
                FROM generate_series(0, 63) n;
             SELECT ensure_shard_partition((current_date - n)::date) FROM generate_series(0, {DAYS}) n;
             INSERT INTO video_heatmap_shards
                SELECT 'film', current_date - d, 'R' || r, s, s, p.viewers, 6000 + s % 2
                FROM generate_series(1, {DAYS}) d CROSS JOIN generate_series(1, 8) r CROSS JOIN generate_series(0, 1199) s
                JOIN pool p ON p.n = (s / 20 + r + d) % 64;
             INSERT INTO video_heatmap_shards
                SELECT 'tail', current_date - d, 'R' || r, b * 12, b * 12 + 11, p.viewers, 6000 + b % 2
                FROM generate_series(1, {DAYS}) d CROSS JOIN generate_series(1, 5) r CROSS JOIN generate_series(0, 99) b
                JOIN pool p ON p.n = (b + r + d) % 64;
             INSERT INTO video_heatmap_whole_shards
                SELECT v, current_date - d, 'R' || r, 1199, (SELECT hll_union_agg(viewers) FROM pool), 7200600
                FROM unnest(ARRAY['film', 'tail']) v, generate_series(1, {DAYS}) d, generate_series(1, 8) r
                WHERE v = 'film' OR r <= 5;
             CREATE TABLE article (
                video_id text NOT NULL, region text NOT NULL, bucket_sec integer NOT NULL, viewers hll(12, 5) NOT NULL,
                PRIMARY KEY (video_id, region, bucket_sec));
             INSERT INTO article SELECT video_id, region, start_sec, viewers FROM video_heatmap_shards
                WHERE captured_on = current_date - 1 AND video_id = 'film';
             CREATE INDEX article_lookup ON article (video_id, region, bucket_sec) INCLUDE (viewers);
             DROP TABLE pool"
        ))
        .await?;
    Ok(())
}

/// Makes sure that the night left the forms that the reads are named after.
pub async fn check_forms(client: &Client) -> anyhow::Result<()> {
    let forms = client
        .query_one(
            "SELECT (SELECT count(*) FROM video_heatmap_spread WHERE video_id = 'film'),
                (SELECT count(*) FROM video_heatmap_runs WHERE video_id = 'tail'),
                (SELECT count(*) FROM video_heatmap_spread WHERE video_id = 'tail'),
                (SELECT count(*) FROM video_heatmap_shards)",
            &[],
        )
        .await?;
    let found: [i64; 4] = std::array::from_fn(|column| forms.get(column));
    anyhow::ensure!(found == [DAYS, DAYS * 500, 0, 0], "spread blocks, runs, spread, left: {found:?}");
    Ok(())
}

/// Today: `film` spread once, and all of it again as shard runs of a second; `premiere` as such runs alone, and as many as
/// there can be before hot compaction moves them, twice its trigger: the first 425 seconds in 8 regions once more.
pub async fn today(client: &Client) -> anyhow::Result<()> {
    client
        .batch_execute(
            "SELECT ensure_canonical_partition(current_date), ensure_shard_partition(current_date);
             INSERT INTO video_heatmap_spread VALUES ('film', current_date, 0);
             INSERT INTO video_heatmap SELECT video_id, current_date, region, bucket_sec, viewers, plays
                FROM video_heatmap WHERE captured_on = current_date - 1 AND video_id = 'film';
             INSERT INTO video_heatmap_5s SELECT video_id, current_date, region, bucket_sec, last_sec, viewers, plays
                FROM video_heatmap_5s WHERE captured_on = current_date - 1 AND video_id = 'film';
             INSERT INTO video_heatmap_60s SELECT video_id, current_date, region, bucket_sec, last_sec, viewers, plays
                FROM video_heatmap_60s WHERE captured_on = current_date - 1 AND video_id = 'film';
             INSERT INTO video_heatmap_whole SELECT video_id, current_date, region, last_sec, viewers, plays
                FROM video_heatmap_whole WHERE captured_on = current_date - 1 AND video_id = 'film';
             INSERT INTO video_heatmap_shards SELECT v, current_date, region, bucket_sec, bucket_sec, viewers, plays
                FROM video_heatmap, unnest(ARRAY['film', 'premiere']) v
                WHERE captured_on = current_date - 1 AND video_id = 'film' AND region <> 'GLOBAL';
             INSERT INTO video_heatmap_shards SELECT 'premiere', current_date, region, bucket_sec, bucket_sec, viewers, plays
                FROM video_heatmap
                WHERE captured_on = current_date - 1 AND video_id = 'film' AND region <> 'GLOBAL' AND bucket_sec < 425;
             INSERT INTO video_heatmap_whole_shards SELECT v, current_date, region, last_sec, viewers, plays
                FROM video_heatmap_whole, unnest(ARRAY['film', 'premiere']) v
                WHERE captured_on = current_date - 1 AND video_id = 'film' AND region <> 'GLOBAL'",
        )
        .await?;
    Ok(())
}
