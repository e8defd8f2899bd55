//! The reads are planned as they should be: through indexes, one group at a time, in the partitions of the range.

use heatstrip::heatmap::store::sql;
use tokio_postgres::{Client, NoTls};

use crate::support::database;

/// Three years of days of a few videos, compacted to rows of seconds and to runs, and open days beside a catalogue.
async fn three_years(client: &Client) {
    client
        .batch_execute(
            "SELECT ensure_canonical_partition(m::date) FROM generate_series('2023-12-01'::date, '2026-11-01', '1 month') m;
             SELECT ensure_shard_partition(d::date) FROM generate_series('2026-11-19'::date, '2026-11-21', '1 day') d;
             CREATE TABLE video_heatmap_second_shards_20261119 PARTITION OF video_heatmap_second_shards
                FOR VALUES FROM ('2026-11-19') TO ('2026-11-20');
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
             INSERT INTO video_heatmap_runs
                SELECT 'v' || v, d, r, s, s + 7, viewers, 9
                FROM sketch, generate_series(1, 40) v, generate_series('2023-12-01'::date, '2026-11-20', '1 day') d,
                    unnest(ARRAY['JP', 'KR']) r, generate_series(3600, 3620, 10) s;
             INSERT INTO video_heatmap_shards
                SELECT 'v' || v, d, r, s, s + 7, viewers, 9
                FROM sketch, generate_series(1, 400) v, generate_series('2026-11-19'::date, '2026-11-21', '1 day') d,
                    unnest(ARRAY['JP', 'KR']) r, generate_series(0, 190, 10) s;
             INSERT INTO video_heatmap_second_shards
                SELECT 'v' || v, '2026-11-19', r, s, 3, viewers, 9
                FROM sketch, generate_series(1, 400) v, unnest(ARRAY['JP', 'KR']) r, generate_series(0, 9) s;
             INSERT INTO video_heatmap_whole_shards
                SELECT 'v' || v, d, r, 59, viewers, 9
                FROM sketch, generate_series(1, 400) v, generate_series('2026-11-19'::date, '2026-11-21', '1 day') d,
                    unnest(ARRAY['JP', 'KR', 'US']) r;
             INSERT INTO video_heatmap_counts (video_id, region, level, first_day, last_day, last_sec, exact, bucket, viewers, reached, plays)
                SELECT 'v' || v, r, l, d, d, 0, true, '{0}', '{9}', '{9}', '{50}'
                FROM generate_series(1, 40) v, unnest(ARRAY['GLOBAL', 'JP', 'KR']) r, unnest(ARRAY[1, 5, 60]) l,
                    generate_series('2026-01-01'::date, '2026-11-20', '1 day') d;
             ANALYZE",
        )
        .await
        .expect("three years");
}

/// A plan, and what it says.
struct Plan {
    text: String,
    /// The tables that are scanned.
    tables: Vec<String>,
    /// Relations that were locked to plan and run it, indexes included.
    locked: i64,
}

async fn plan(client: &Client, statement: &str, parameters: &str) -> Plan {
    client.batch_execute("BEGIN").await.expect("a transaction");
    client.batch_execute(sql::PREPARE_READ).await.expect("the settings of a read");
    client.batch_execute(&format!("PREPARE asked AS {statement}")).await.expect("a statement");
    let asked = if parameters.is_empty() { "asked".to_owned() } else { format!("asked ({parameters})") };
    client.query(&format!("EXECUTE {asked}"), &[]).await.expect("an answer");
    let rows = client.query(&format!("EXPLAIN EXECUTE {asked}"), &[]).await.expect("a plan");
    let locked = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
        AND relation::regclass::text LIKE 'video_%'";
    let locked = client.query_one(locked, &[]).await.expect("a count").get(0);
    client.batch_execute("DEALLOCATE asked; COMMIT").await.expect("the end");
    let text: String = rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect();
    let scans = text.lines().filter(|line| line.contains(" Scan ") && !line.contains("Bitmap Index Scan"));
    let tables =
        scans.filter_map(|line| line.split(" on ").nth(1)?.split_whitespace().next().map(str::to_owned));
    Plan { tables: tables.filter(|table| table.starts_with("video_")).collect(), locked, text }
}

async fn connected() -> Client {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    three_years(&client).await;
    client
}

/// The tables without the day or month of their partitions.
fn parents(plan: &Plan) -> Vec<&str> {
    let mut parents: Vec<&str> =
        plan.tables.iter().map(|table| table.trim_end_matches(|c: char| c.is_ascii_digit())).collect();
    parents.sort_unstable();
    parents.dedup();
    parents
}

#[tokio::test]
async fn strips_are_read_through_indexes_in_the_partitions_of_their_days() {
    let client = connected().await;
    for (level, table) in [(1, "video_heatmap_"), (5, "video_heatmap_5s_"), (60, "video_heatmap_60s_")] {
        for (regions, shard_regions) in
            [("'{GLOBAL}'", "NULL"), ("'{JP}'", "'{JP}'"), ("'{JP,KR}'", "'{JP,KR}'")]
        {
            for (from, to, partitions) in [
                ("2026-10-25", "2026-11-21", &["202610", "202611", "20261119", "20261120", "20261121"][..]),
                ("2026-11-20", "2026-11-20", &["202611", "20261120"]),
            ] {
                let parameters = format!(
                    "'v2', '{from}', '{to}', {regions}, {shard_regions}, '{{{from}}}', {level}, '{{}}', 86399, 86400, '0001-01-01'"
                );
                let plan = plan(&client, sql::READ_STRIP, &parameters).await;
                let text = &plan.text;
                assert!(
                    !text.contains("Seq Scan") && !text.contains("HashAggregate"),
                    "{parameters}\n{text}"
                );
                let mut expected = vec!["video_heatmap_runs_", "video_heatmap_shards_", table];
                if from != to {
                    expected.push("video_heatmap_second_shards_");
                }
                expected.sort_unstable();
                assert_eq!(parents(&plan), expected, "{text}");
                for found in &plan.tables {
                    let partition = found.rsplit('_').next().expect("a name");
                    assert!(partitions.contains(&partition), "{found} for {from} to {to}\n{text}");
                }
                // The tables and their partitions in the range, each with an index.
                assert!(plan.locked <= 60, "{} relations\n{text}", plan.locked);
            }
        }
    }
}

/// Months keep the number of partitions small that a plan of years has to look at.
#[tokio::test]
async fn a_strip_of_three_years_locks_few_relations() {
    let client = connected().await;
    let parameters = "'v2', '2023-12-01', '2026-11-21', '{GLOBAL}', NULL, '{2023-12-01}', 5, '{}', 86399, 86400, '0001-01-01'";
    let plan = plan(&client, sql::READ_STRIP, parameters).await;
    assert!(!plan.text.contains("Seq Scan"), "{}", plan.text);
    // 36 months of one level and of runs and a few open days, each with an index.
    assert!((2 * 36 * 2..200).contains(&plan.locked), "{} relations", plan.locked);
}

/// Where a video's end cuts a bucket of the level, the seconds of that bucket are looked up and no others.
#[tokio::test]
async fn the_bucket_that_a_videos_end_cuts_is_read_by_the_second() {
    let client = connected().await;
    for (level, ends, seconds) in [
        (5, "52, 50", true),
        (60, "52, 0", true),
        (5, "54, 55", false),
        (60, "59, 60", false),
        (1, "52, 53", true),
    ] {
        let parameters = format!(
            "'v2', '2026-10-25', '2026-11-21', '{{GLOBAL}}', NULL, '{{2026-10-25}}', {level}, '{{}}', {ends}, '0001-01-01'"
        );
        let plan = plan(&client, sql::READ_STRIP, &parameters).await;
        assert!(!plan.text.contains("Seq Scan"), "{parameters}\n{}", plan.text);
        assert_eq!(parents(&plan).contains(&"video_heatmap_"), seconds, "{parameters}\n{}", plan.text);
    }
}

#[tokio::test]
async fn counted_epochs_are_looked_up_and_so_is_what_is_not_counted() {
    let client = connected().await;
    let days = "'2026-10-25', '2026-11-21', '2026-10-25', '2026-11-21'";
    let plan =
        plan(&client, sql::READ_COUNTED_EPOCHS, &format!("'v2', 'GLOBAL', 5::smallint, {days}, 86399")).await;
    assert!(!plan.text.contains("Seq Scan"), "{}", plan.text);
    assert!(plan.tables.iter().all(|table| !table.contains("202609")), "{}", plan.text);
}

#[tokio::test]
async fn days_are_looked_up_and_not_searched_for() {
    let client = connected().await;
    let plan = plan(&client, sql::READ_VIDEO_DAYS, "'v2', '0001-01-01'").await;
    assert!(!plan.text.contains("Seq Scan"), "{}", plan.text);
    assert!(plan.tables.iter().all(|table| table.contains("_whole_")), "whole videos alone\n{}", plan.text);
}

#[tokio::test]
async fn regions_are_those_of_one_video() {
    let client = connected().await;
    let parameters = "'v2', '2026-11-14', '2026-11-21', '{2026-11-14}'";
    let plan = plan(&client, sql::READ_REGIONS, parameters).await;
    assert!(!plan.text.contains("Seq Scan") && !plan.text.contains("Aggregate"), "{}", plan.text);
    assert!(plan.tables.iter().all(|table| !table.contains("202610")), "{}", plan.text);
}

/// The view for people is as good as a table: a video is found through an index, a day in its partitions.
#[tokio::test]
async fn the_view_is_read_through_indexes_in_the_partitions_of_its_days() {
    let client = connected().await;
    for (days, partitions) in [
        ("captured_on = '2026-11-19'", &["202611", "20261119"][..]),
        ("captured_on BETWEEN '2026-10-25' AND '2026-11-19'", &["202610", "202611", "20261119"]),
    ] {
        let statement = format!(
            "SELECT bucket_sec, hll_cardinality(hll_union_agg(viewers)) FROM video_heatmap_seconds
             WHERE video_id = 'v2' AND {days} GROUP BY bucket_sec ORDER BY bucket_sec"
        );
        let plan = plan(&client, &statement, "").await;
        let text = &plan.text;
        assert!(!text.contains("Seq Scan on video_") && !text.contains("HashAggregate"), "{text}");
        assert_eq!(
            parents(&plan),
            [
                "video_heatmap_",
                "video_heatmap_runs_",
                "video_heatmap_second_shards_",
                "video_heatmap_shards_"
            ],
            "{text}"
        );
        for found in &plan.tables {
            let partition = found.rsplit('_').next().expect("a name");
            assert!(partitions.contains(&partition), "{found} for {days}\n{text}");
        }
    }
}

#[tokio::test]
async fn the_list_reads_the_days_of_its_regions() {
    let client = connected().await;
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
    let of_candidates = plan(&client, sql::READ_VIDEOS, &format!("{parameters}, '{{v1,v2}}'")).await.text;
    assert!(!of_candidates.contains("Seq Scan"), "{of_candidates}");
    let all = plan(&client, sql::READ_VIDEOS, &format!("{parameters}, NULL")).await.text;
    // All rows of an open day are read, whichever way; of canonical rows only those of the region and the days.
    let canonical = all.lines().find(|line| line.contains("Seq Scan on video_heatmap_whole_2"));
    assert!(canonical.is_none() && !all.contains("HashAggregate"), "{all}");
    assert!(
        all.contains("video_heatmap_whole_202611") && !all.contains("video_heatmap_whole_202610"),
        "{all}"
    );
}
