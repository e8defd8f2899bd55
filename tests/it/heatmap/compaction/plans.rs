//! The statements of a piece find their rows through an index or by where they lie, in one partition, whatever the
//! statistics of partitions say that fill and empty.

use heatstrip::heatmap::store::sql as statements;

use super::*;
use crate::support::database;

/// A month of days with runs, an open day with 20,000 shard runs in two forms, and 2,000 videos.
async fn month(sql: &Client) {
    sql.batch_execute(
        "SELECT ensure_canonical_partition(m::date) FROM generate_series('2026-08-01'::date, '2026-11-01', '1 month') m;
         SELECT ensure_shard_partition(d::date) FROM generate_series('2026-11-15'::date, '2026-11-21', '1 day') d;
         CREATE TABLE video_heatmap_second_shards_20261120 PARTITION OF video_heatmap_second_shards
            FOR VALUES FROM ('2026-11-20') TO ('2026-11-21');
         CREATE TEMP TABLE sketch AS SELECT hll_add_agg(hll_hash_bigint(v), 12, 5, -1, 1) AS viewers FROM generate_series(1, 9) v;
         INSERT INTO video_heatmap_shards
            SELECT 'v' || v, d, 'JP', s * 5, s * 5 + 9, viewers, 1
            FROM sketch, generate_series(1, 2000) v, generate_series(0, 4) s, unnest(ARRAY['2026-11-19'::date, '2026-11-20']) d;
         INSERT INTO video_heatmap_second_shards
            SELECT 'v' || v, '2026-11-20', 'JP', s, 3, viewers, 1 FROM sketch, generate_series(1, 2000) v, generate_series(0, 4) s;
         INSERT INTO video_heatmap_whole_shards
            SELECT 'v' || v, '2026-11-20', r, 29, viewers, 9 FROM sketch, generate_series(1, 2000) v, unnest(ARRAY['JP', 'KR']) r;
         INSERT INTO video_heatmap_runs
            SELECT 'v' || v, d, r, s * 5, s * 5 + 4, viewers, 1
            FROM sketch, generate_series(1, 500) v, generate_series('2026-10-25'::date, '2026-11-20', '1 day') d,
                unnest(ARRAY['JP', 'KR']) r, generate_series(0, 2) s;
         INSERT INTO video_heatmap_spread
            SELECT 'v' || v, d, 0 FROM generate_series(1, 200) v, generate_series('2026-10-25'::date, '2026-11-20', '1 day') d;
         INSERT INTO video_heatmap
            SELECT 'v' || v, d, r, s, viewers, 1
            FROM sketch, generate_series(1, 100) v, unnest(ARRAY['2026-10-31'::date, '2026-11-20']) d,
                unnest(ARRAY['JP', 'GLOBAL']) r, generate_series(0, 59) s;
         INSERT INTO video_heatmap_5s
            SELECT video_id, captured_on, region, bucket_sec, bucket_sec, viewers, plays FROM video_heatmap WHERE bucket_sec % 5 = 0;
         INSERT INTO video_heatmap_60s
            SELECT video_id, captured_on, region, bucket_sec, bucket_sec, viewers, plays FROM video_heatmap WHERE bucket_sec = 0;
         INSERT INTO video_heatmap_whole SELECT 'v' || v, d, r, 29, viewers, 9
            FROM sketch, generate_series(1, 2000) v, generate_series('2026-11-11'::date, '2026-11-20', '1 day') d,
                unnest(ARRAY['JP', 'GLOBAL']) r;
         INSERT INTO video_heatmap_counts
            SELECT 'v' || v, 'GLOBAL', 60, d, d, 9, true, '{0}', '{1}', '{1}', '{1}'
            FROM generate_series(1, 200) v, generate_series('2026-10-25'::date, '2026-11-20', '1 day') d;
         ANALYZE",
    )
    .await
    .expect("a month");
}

async fn plan(sql: &Client, statement: &str, parameters: &str) -> String {
    sql.batch_execute("BEGIN").await.expect("a transaction");
    sql.batch_execute(statements::PREPARE_COMPACTION).await.expect("the settings of a piece");
    sql.batch_execute(&format!("PREPARE asked AS {statement}")).await.expect("a statement");
    let rows = sql.query(&format!("EXPLAIN EXECUTE asked ({parameters})"), &[]).await.expect("a plan");
    sql.batch_execute("DEALLOCATE asked; COMMIT").await.expect("the end");
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

#[tokio::test]
async fn a_piece_looks_up_what_it_moves() {
    let database = database().await;
    let sql = database.connect().await;
    month(&sql).await;
    let videos = "'{v7,v8,v9,v100,v101,v102,v1500}'";
    let places = "'{\"(0,1)\",\"(0,2)\",\"(1,1)\"}'";
    for (name, statement, parameters, partition) in [
        ("peek_runs", statements::PEEK_RUNS, "'2026-11-20', 'v7', -1, 10000".to_owned(), "shards_20261120"),
        (
            "peek_video_runs",
            statements::PEEK_VIDEO_RUNS,
            "'2026-11-20', 'v7', -1, 10000".to_owned(),
            "shards_20261120",
        ),
        (
            "peek_seconds",
            statements::PEEK_SECONDS,
            "'2026-11-20', 'v7', '', -1, 10000".to_owned(),
            "second_shards_20261120",
        ),
        ("take_runs", statements::TAKE_RUNS, format!("'2026-11-20', {videos}, {places}"), "shards_20261120"),
        (
            "take_seconds",
            statements::TAKE_SECONDS,
            format!("'2026-11-20', {videos}, {places}"),
            "second_shards_20261120",
        ),
        (
            "peek_wholes",
            statements::PEEK_WHOLES,
            "'2026-11-20', 'v7', '', 10000".to_owned(),
            "whole_shards_20261120",
        ),
        (
            "take_wholes",
            statements::TAKE_WHOLES,
            format!("'2026-11-20', 'v100', '', 'v9', 'KR', {videos}"),
            "whole_shards_20261120",
        ),
        ("read_wholes", statements::READ_WHOLES, format!("'2026-11-20', {videos}"), "whole_202611"),
        ("read_spread", statements::READ_SPREAD, format!("'2026-11-20', {videos}"), "spread_202611"),
        ("measure_runs", statements::MEASURE_RUNS, format!("'2026-11-20', {videos}, 3600"), "runs_202611"),
        (
            "read_runs",
            statements::READ_RUNS,
            format!("'2026-11-20', {videos}, '{{JP,KR}}', 3600, '{{0,1}}'"),
            "runs_202611",
        ),
        (
            "take_block_runs",
            statements::TAKE_BLOCK_RUNS,
            "'2026-11-20', 'v7', 0, 3599".to_owned(),
            "runs_202611",
        ),
        ("delete_runs", statements::DELETE_RUNS, format!("'2026-11-20', {videos}, {places}"), "runs_202611"),
        (
            "read_level 1",
            statements::READ_LEVEL,
            "'2026-11-20', 'v7', 'JP', 1, 0, 59".to_owned(),
            "heatmap_202611",
        ),
        (
            "read_level 5",
            statements::READ_LEVEL,
            "'2026-11-20', 'v7', 'JP', 5, 0, 59".to_owned(),
            "5s_202611",
        ),
        (
            "read_level 60",
            statements::READ_LEVEL,
            "'2026-11-20', 'v7', 'JP', 60, 0, 59".to_owned(),
            "60s_202611",
        ),
        ("delete_counts", statements::DELETE_COUNTS, format!("'2026-11-20', {videos}"), "counts"),
    ] {
        let plan = plan(&sql, statement, &parameters).await;
        let scans: Vec<&str> =
            plan.lines().filter(|line| line.contains(" Scan") && !line.contains("Subquery")).collect();
        assert_eq!(scans.len(), 1, "{name} looks into one partition\n{plan}");
        assert!(scans[0].contains("Index") || scans[0].contains("Tid Scan"), "{name}\n{plan}");
        assert!(scans[0].contains(&format!("_{partition}")), "{name}\n{plan}");
        assert!(!plan.contains("HashAggregate"), "{name}\n{plan}");
        let sorts = plan.contains("Sort") && name != "measure_runs";
        assert!(!sorts, "{name} comes in the order of its index\n{plan}");
    }
}

/// What comes in is found by key for each row.
#[tokio::test]
async fn a_piece_writes_by_key() {
    let database = database().await;
    let sql = database.connect().await;
    month(&sql).await;
    let sketch = "ARRAY['\\x118c7f'::bytea]";
    for (name, statement, parameters) in [
        (
            "write_runs",
            statements::WRITE_RUNS,
            format!("'2026-11-20', '{{v7}}', '{{JP}}', '{{0}}', '{{9}}', {sketch}, '{{1}}'"),
        ),
        (
            "write_seconds",
            statements::WRITE_SECONDS,
            format!("'2026-11-20', 'v7', 'JP', '{{0}}', '{{9}}', {sketch}, '{{1}}'"),
        ),
        (
            "write_fives",
            statements::WRITE_FIVES,
            format!("'2026-11-20', 'v7', 'JP', '{{0}}', '{{4}}', {sketch}, '{{1}}'"),
        ),
        (
            "write_sixties",
            statements::WRITE_SIXTIES,
            format!("'2026-11-20', 'v7', 'JP', '{{0}}', '{{4}}', {sketch}, '{{1}}'"),
        ),
        (
            "write_wholes",
            statements::WRITE_WHOLES,
            format!("'2026-11-20', '{{v7}}', '{{JP}}', '{{9}}', {sketch}, '{{1}}', '{{1}}'"),
        ),
        ("raise_bounds", statements::RAISE_BOUNDS, "'2026-11-01', '{v7}', '{JP}', '{1}'".to_owned()),
    ] {
        let plan = plan(&sql, statement, &parameters).await;
        assert!(plan.contains("Conflict Resolution: UPDATE") && plan.contains("_pkey"), "{name}\n{plan}");
        assert!(
            !plan.contains("Scan using") && !plan.contains("Scan on video"),
            "{name} reads nothing else\n{plan}"
        );
    }
}
