//! The same rows in every form they may have, moved by plain SQL and united by the extension.

use tokio_postgres::Client;

/// Moves the shard runs of a day and region to the earlier form, a row a second.
pub async fn to_earlier_form(client: &Client, day: &str, region: &str) {
    let suffix = day.replace('-', "");
    client
        .batch_execute(&format!(
            "CREATE TABLE IF NOT EXISTS video_heatmap_second_shards_{suffix} PARTITION OF video_heatmap_second_shards
                FOR VALUES FROM ('{day}') TO ('{day}'::date + 1);
             WITH moved AS (DELETE FROM video_heatmap_shards WHERE captured_on = '{day}' AND region = '{region}' RETURNING *)
             INSERT INTO video_heatmap_second_shards (video_id, captured_on, region, bucket_sec, shard, viewers, plays)
                SELECT video_id, captured_on, region, s, 3, hll_union_agg(viewers), sum(plays)
                FROM moved, generate_series(start_sec, end_sec) AS s GROUP BY 1, 2, 3, 4",
        ))
        .await
        .expect("rows of the earlier form");
}

/// Moves all shard runs of a day and region, which has none yet, to canonical runs.
pub async fn to_canonical_runs(client: &Client, day: &str, region: &str) {
    client
        .batch_execute(&format!(
            "SELECT ensure_canonical_partition('{day}');
             WITH moved AS (DELETE FROM video_heatmap_shards WHERE captured_on = '{day}' AND region = '{region}' RETURNING *),
             seconds AS (
                SELECT video_id, captured_on, region, s, hll_send(hll_union_agg(viewers)) AS viewers, sum(plays) AS plays
                FROM moved, generate_series(start_sec, end_sec) AS s GROUP BY 1, 2, 3, 4
             ), islands AS (
                -- Seconds that follow on each other with one set of viewers, within a block.
                SELECT *, s - row_number() OVER (PARTITION BY video_id, viewers, plays, s / 3600 ORDER BY s) AS island
                FROM seconds
             )
             INSERT INTO video_heatmap_runs (video_id, captured_on, region, start_sec, end_sec, viewers, plays)
                SELECT video_id, captured_on, region, min(s), max(s), viewers::hll, plays FROM islands
                GROUP BY video_id, captured_on, region, viewers, plays, s / 3600, island",
        ))
        .await
        .expect("canonical runs");
}

/// Spreads everything there is of a block of a day, which was not spread yet, to seconds and their levels.
pub async fn spread(client: &Client, day: &str, block: i32) {
    let of_block = format!("captured_on = '{day}' AND start_sec / 3600 = {block}");
    let seconds_of_block = format!("captured_on = '{day}' AND bucket_sec / 3600 = {block}");
    client
        .batch_execute(&format!(
            "SELECT ensure_canonical_partition('{day}');
             WITH shards AS (DELETE FROM video_heatmap_shards WHERE {of_block} RETURNING *),
             runs AS (DELETE FROM video_heatmap_runs WHERE {of_block} RETURNING *),
             stretches AS (
                SELECT video_id, captured_on, region, start_sec, end_sec, viewers, plays FROM shards
                UNION ALL
                SELECT video_id, captured_on, region, start_sec, end_sec, viewers, plays FROM runs
             )
             INSERT INTO video_heatmap (video_id, captured_on, region, bucket_sec, viewers, plays)
                SELECT video_id, captured_on, r, s, hll_union_agg(viewers), sum(plays)
                FROM stretches, generate_series(start_sec, end_sec) AS s, unnest(ARRAY[region, 'GLOBAL']) AS r
                GROUP BY 1, 2, 3, 4;
             INSERT INTO video_heatmap_5s (video_id, captured_on, region, bucket_sec, last_sec, viewers, plays)
                SELECT video_id, captured_on, region, bucket_sec / 5 * 5, max(bucket_sec), hll_union_agg(viewers), sum(plays)
                FROM video_heatmap WHERE {seconds_of_block} GROUP BY 1, 2, 3, 4;
             INSERT INTO video_heatmap_60s (video_id, captured_on, region, bucket_sec, last_sec, viewers, plays)
                SELECT video_id, captured_on, region, bucket_sec / 60 * 60, max(bucket_sec), hll_union_agg(viewers), sum(plays)
                FROM video_heatmap WHERE {seconds_of_block} GROUP BY 1, 2, 3, 4;
             INSERT INTO video_heatmap_spread SELECT DISTINCT video_id, captured_on, {block} FROM video_heatmap
                WHERE {seconds_of_block}",
        ))
        .await
        .expect("rows of seconds");
}
