//! The fold, its reads and the archive look rows up, however many there are: no statement of theirs reads a whole table.

use heatstrip::views::store::sql;
use tokio_postgres::Client;

use crate::support::database;

/// Many viewers of a popular video, many small videos, a busy device.
async fn fill(client: &Client) {
    client
        .batch_execute(
            "INSERT INTO recent_views (video_id, viewer, epoch, views, region, first_at, last_at, first_counted_at,
                 last_counted_at, last_day)
             SELECT CASE WHEN n % 2 = 0 THEN 'popular' ELSE 'v' || n END, CASE WHEN n % 10 = 1 THEN -7 ELSE n END,
                 '2026-11-01', 1, 'JP', '2026-11-21', '2026-11-21', '2026-11-21', '2026-11-21', date '2026-11-21' - n % 28
             FROM generate_series(1, 20000) AS n;
             INSERT INTO view_totals (video_id, views) SELECT 'v' || n, n FROM generate_series(1, 10000) AS n;
             INSERT INTO view_epochs SELECT 'v' || n, '2026-11-01', hll_empty(12, 5) FROM generate_series(1, 10000) AS n;
             INSERT INTO view_days SELECT 'v' || n % 400, r, date '2026-11-21' - n / 400, '2026-11-01', 1, hll_empty(12, 5)
             FROM generate_series(1, 10000) AS n, unnest(ARRAY['GLOBAL', 'JP']) AS r;
             INSERT INTO view_months SELECT 'v' || n, 'GLOBAL', '2026-11-01', '2026-11-01', 1, hll_empty(12, 5)
             FROM generate_series(1, 10000) AS n;
             INSERT INTO view_bindings SELECT n, -n, '2026-11-01', n % 100 > 0 FROM generate_series(1, 10000) AS n",
        )
        .await
        .expect("views");
}

/// How a statement is run, at first and once it has been asked a few times.
async fn plan(client: &Client, prepare: &str, statement: &str, parameters: &str) -> String {
    let mut plans = String::new();
    for mode in ["force_custom_plan", "force_generic_plan"] {
        client.batch_execute("BEGIN").await.expect("a transaction");
        client.batch_execute(prepare).await.expect("the settings");
        client
            .batch_execute(&format!("SET LOCAL plan_cache_mode = {mode}; PREPARE asked AS {statement}"))
            .await
            .expect("a statement");
        let explain = format!("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) EXECUTE asked ({parameters})");
        let rows = client.query(&explain, &[]).await.expect("a plan");
        client.batch_execute("DEALLOCATE asked; ROLLBACK").await.expect("the end");
        plans.extend(rows.iter().map(|row| row.get::<_, String>(0) + "\n"));
    }
    plans
}

/// Before anybody has looked at the tables, when statistics say that they are empty, and afterwards.
#[tokio::test]
async fn every_statement_looks_rows_up() {
    let database = database().await;
    let client = database.connect().await;
    let keys = "'{popular,v3,v5}', '{2,3,5}'";
    let instants = "'{2026-11-21,2026-11-21,2026-11-21}'";
    let times = [instants; 4].join(", ");
    let fold = sql::PREPARE_VIEWS;
    let pieces = sql::PREPARE_VIEW_PIECES;
    let reads = sql::PREPARE_VIEW_READS;
    let statements = [
        (fold, sql::READ_BINDINGS, "'{2026-11-01,2026-11-01}', '{3,5}'".to_owned()),
        (fold, sql::LOCK_RECENTS, keys.to_owned()),
        (fold, sql::UPDATE_RECENTS, format!("{keys}, '{{1,1,1}}', {times}, '{{JP,JP,JP}}'")),
        (fold, sql::LOCK_TOTALS, "'{v1,v2,v3}'".to_owned()),
        (
            fold,
            sql::UPDATE_TOTALS,
            "'{v1}', '{1}', '{1}', '{1}', '{0}', '{2026-11-01}', '{2026-11-01}'".to_owned(),
        ),
        (fold, sql::READ_EPOCHS, "'{v1,v2}', '{2026-11-01,2026-11-01}'".to_owned()),
        (fold, sql::READ_DAYS, "'{v1,v2}', '{GLOBAL,JP}', '{2026-11-21,2026-11-20}'".to_owned()),
        (fold, sql::READ_MONTHS, "'{v1}', '{GLOBAL}', '{2026-11-01}', '{2026-11-01}'".to_owned()),
        (pieces, sql::READ_ARCHIVABLE, "'2026-10-25', 100".to_owned()),
        (pieces, sql::DELETE_RECENTS, keys.to_owned()),
        (pieces, sql::ARCHIVE_TOTALS, "'{v1,v2}', '{1,1}'".to_owned()),
        (pieces, sql::READ_DEVICE_VIDEOS, "-7, 'v5', 100".to_owned()),
        (pieces, sql::READ_UNKEPT_VIEW_DAYS, "'2026-10-25', 100".to_owned()),
        (fold, sql::READ_UNMERGED, "'2026-11-01', 5, 10".to_owned()),
        (reads, sql::READ_VIEW_TOTALS, "'{v1,v2}'".to_owned()),
        (reads, sql::READ_VIEW_DAYS, "'v3', '0001-01-01'".to_owned()),
        (reads, sql::READ_PIECES, "'v3', '{GLOBAL}', '{2026-11-01}', '{2026-10-31}'".to_owned()),
    ];
    fill(&client).await;
    for _ in 0..2 {
        for (prepare, statement, parameters) in &statements {
            let plan = plan(&client, prepare, statement, parameters).await;
            assert!(!plan.contains("Seq Scan"), "{statement}\n{plan}");
            // Rows that were read and thrown away: some, but no table's worth.
            for line in plan.lines().filter(|line| line.contains("Rows Removed")) {
                let thrown: u64 = line.rsplit(' ').next().and_then(|n| n.parse().ok()).expect("a number");
                assert!(thrown < 1_000, "{statement}\n{plan}");
            }
        }
        client.batch_execute("VACUUM ANALYZE").await.expect("statistics");
    }
}
