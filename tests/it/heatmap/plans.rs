//! The reads are planned as they should be: through the primary keys, one group at a time, in the partitions of the range.

use heatstrip::{heatmap::store::sql, queue};
use tokio_postgres::{Client, NoTls};

use crate::support::database;

/// Three years of days of a few videos, compacted, and an open day.
async fn three_years(client: &Client) {
    client
        .batch_execute(
            "SELECT ensure_canonical_partition(m::date) FROM generate_series('2023-12-01'::date, '2026-11-01', '1 month') m;
             SELECT ensure_shard_partition('2026-11-21');
             CREATE TEMP TABLE sketch AS SELECT hll_add_agg(hll_hash_bigint(v), 12, 5, -1, 1) AS viewers FROM generate_series(1, 9) v;
             INSERT INTO video_heatmap_5s
                SELECT 'v' || v, d, r, b * 5, b * 5 + 4, viewers, 50
                FROM sketch, generate_series(1, 4) v, generate_series('2023-12-01'::date, '2026-11-20', '1 day') d,
                    unnest(ARRAY['GLOBAL', 'JP', 'KR']) r, generate_series(0, 11) b;
             INSERT INTO video_heatmap
                SELECT video_id, captured_on, region, bucket_sec, viewers, plays FROM video_heatmap_5s;
             INSERT INTO video_heatmap_60s
                SELECT video_id, captured_on, region, 0, 59, viewers, 600 FROM video_heatmap_5s WHERE bucket_sec = 0;
             INSERT INTO video_heatmap_60s
                SELECT 'w' || v, d, 'GLOBAL', b * 60, b * 60 + 59, viewers, 600
                FROM sketch, generate_series(1, 100) v, generate_series('2026-10-01'::date, '2026-11-20', '1 day') d,
                    generate_series(0, 2) b;
             INSERT INTO video_heatmap_whole
                SELECT video_id, captured_on, region, 59, viewers, 600 FROM video_heatmap_60s WHERE bucket_sec = 0;
             INSERT INTO video_heatmap_shards
                SELECT 'v' || v, '2026-11-21', r, s, 3, viewers, 9
                FROM sketch, generate_series(1, 400) v, unnest(ARRAY['JP', 'KR']) r, generate_series(0, 59) s;
             INSERT INTO video_heatmap_whole_shards
                SELECT 'v' || v, '2026-11-21', 'JP', 3, 59, viewers, 9 FROM sketch, generate_series(1, 400) v;
             ANALYZE",
        )
        .await
        .expect("three years");
}

async fn plan(client: &Client, statement: &str, parameters: &str) -> String {
    client.batch_execute("BEGIN").await.expect("a transaction");
    client.batch_execute(sql::PREPARE_READ).await.expect("the settings of a read");
    client.batch_execute(&format!("PREPARE asked AS {statement}")).await.expect("a statement");
    let rows = client.query(&format!("EXPLAIN EXECUTE asked ({parameters})"), &[]).await.expect("a plan");
    client.batch_execute("DEALLOCATE asked; COMMIT").await.expect("the end");
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

#[tokio::test]
async fn strips_are_read_through_the_primary_keys() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    three_years(&client).await;
    for (level, table) in [(1, "video_heatmap_2"), (5, "video_heatmap_5s_"), (60, "video_heatmap_60s_")] {
        for (regions, shard_regions) in
            [("'{GLOBAL}'", "NULL"), ("'{JP}'", "'{JP}'"), ("'{JP,KR}'", "'{JP,KR}'")]
        {
            for (from, to, months) in [
                ("2026-10-25", "2026-11-21", vec!["202610", "202611"]),
                ("2026-11-20", "2026-11-20", vec!["202611"]),
            ] {
                let parameters = format!(
                    "'v2', '{from}', '{to}', {level}, {regions}, {shard_regions}, '{{{from}}}', {level}, '{{}}'"
                );
                let plan = plan(&client, sql::READ_STRIP, &parameters).await;
                assert!(
                    !plan.contains("Seq Scan") && !plan.contains("HashAggregate"),
                    "{parameters}\n{plan}"
                );
                let scanned = plan
                    .lines()
                    .filter(|line| line.contains("Heap Scan on") || line.contains("Index Scan using"));
                let tables: Vec<&str> =
                    scanned.filter_map(|line| line.split(" on ").nth(1)?.split_whitespace().next()).collect();
                assert!(!tables.is_empty(), "{plan}");
                for found in tables.iter().filter(|name| !name.contains("shards")) {
                    assert!(found.starts_with(table), "{found} at level {level}\n{plan}");
                    assert!(
                        months.iter().any(|month| found.contains(month)),
                        "{found} for {from} to {to}\n{plan}"
                    );
                }
                let reads_today = tables.iter().any(|name| name.contains("shards"));
                assert_eq!(reads_today, to == "2026-11-21", "{plan}");
            }
        }
    }
}

#[tokio::test]
async fn days_are_looked_up_and_not_searched_for() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    three_years(&client).await;
    let plan = plan(&client, sql::READ_VIDEO_DAYS, "'v2', '0001-01-01'").await;
    assert!(!plan.contains("Seq Scan"), "{plan}");
    assert!(
        !plan.contains(" video_heatmap_5s") && !plan.contains(" video_heatmap_2"),
        "whole videos alone\n{plan}"
    );
}

#[tokio::test]
async fn the_list_reads_the_days_of_its_regions() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    three_years(&client).await;
    // Many videos in many regions, as in a catalogue.
    client
        .batch_execute(
            "INSERT INTO video_heatmap_whole
                SELECT 'x' || v, d, 'R' || r, 59, viewers, 600
                FROM sketch, generate_series(1, 60) v, generate_series(1, 9) r,
                    generate_series('2026-11-01'::date, '2026-11-20', '1 day') d;
             ANALYZE",
        )
        .await
        .expect("a catalogue");
    let parameters = "'2026-11-14', '2026-11-21', '{GLOBAL}', NULL, '{2026-11-14}'";
    let of_candidates = plan(&client, sql::READ_VIDEOS, &format!("{parameters}, '{{v1,v2}}'")).await;
    assert!(!of_candidates.contains("Seq Scan"), "{of_candidates}");
    let plan = plan(&client, sql::READ_VIDEOS, &format!("{parameters}, NULL")).await;
    // All rows of an open day are read, whichever way; of canonical rows only those of the region and the days.
    let canonical = plan.lines().find(|line| line.contains("Seq Scan on video_heatmap_whole_2"));
    assert!(canonical.is_none() && !plan.contains("HashAggregate"), "{plan}");
    assert!(
        plan.contains("video_heatmap_whole_202611") && !plan.contains("video_heatmap_whole_202610"),
        "{plan}"
    );
}

/// Whatever the statistics say of slots that fill and empty: each id is one look into the index.
#[tokio::test]
async fn batch_ids_are_looked_up_one_by_one() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
        .batch_execute(&format!(
            "INSERT INTO batch_ids SELECT slot, gen_random_uuid(), 1, '[]' FROM generate_series(0, 2) slot, generate_series(1, 3000);
             ANALYZE;
             {};
             PREPARE asked AS {}",
            queue::sql::PREPARE_BATCH_IDS.replace("LOCAL", ""),
            queue::sql::INSERT_BATCH_IDS
        ))
        .await
        .expect("a statement");
    for mode in ["force_generic_plan", "force_custom_plan"] {
        client.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.expect("a setting");
        let asked =
            "EXPLAIN EXECUTE asked ('http', ARRAY[gen_random_uuid(), gen_random_uuid()], '{1,1}', '{[],[]}')";
        let rows = client.query(asked, &[]).await.expect("a plan");
        let plan: String = rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect();
        assert!(!plan.contains("Seq Scan on batch_ids_") && !plan.contains("Hash"), "{mode}\n{plan}");
    }
}
