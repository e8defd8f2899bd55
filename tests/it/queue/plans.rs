//! Statements of the queue take the same way whatever the statistics say, and pass over no dead rows.

use std::time::Duration;

use heatstrip::{heatmap, postgres::Store, queue::sql};
use tokio_postgres::Client;

use crate::support::{TestDatabase, database, until};

/// Rows that were folded and that a reader's old snapshot keeps; a tenth as many wait.
const DEAD: i64 = 200_000;

/// A queue of a real size with dead rows in front, and who keeps them there.
async fn dead_rows(database: &TestDatabase, analysed: bool) -> (Client, Client) {
    let sql = database.connect().await;
    let reader = database.connect().await;
    sql.batch_execute(
        "ALTER TABLE heartbeat_queue SET (autovacuum_enabled = off);
         INSERT INTO heartbeat_queue (lane, enqueued_at, heartbeats, watched_secs, payload)
         SELECT n % 16, '2026-11-21T10:00:00Z', 1, 10, '\\x00' FROM generate_series(1, 220000) AS n",
    )
    .await
    .expect("rows");
    reader
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM engine")
        .await
        .expect("an old snapshot");
    sql.execute("DELETE FROM heartbeat_queue WHERE id <= $1", &[&DEAD]).await.expect("folded");
    if analysed {
        sql.batch_execute("ANALYZE").await.expect("statistics");
    }
    (sql, reader)
}

/// Runs a statement in a transaction that is undone; returns its plan and how many pages it touched.
async fn explain(sql: &Client, prepare: &str, statement: &str, parameters: &str) -> (String, i64) {
    sql.batch_execute("BEGIN").await.expect("a transaction");
    sql.batch_execute(prepare).await.expect("its settings");
    sql.batch_execute(&format!("PREPARE asked AS {statement}")).await.expect("a statement");
    let asked = if parameters.is_empty() { "asked".to_owned() } else { format!("asked ({parameters})") };
    let rows = sql.query(&format!("EXPLAIN (ANALYZE, BUFFERS) EXECUTE {asked}"), &[]).await.expect("a plan");
    sql.batch_execute("DEALLOCATE asked; ROLLBACK").await.expect("the end");
    let plan: String = rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect();
    // The first line of buffers is that of the whole plan.
    let buffers =
        plan.lines().find(|line| line.trim_start().starts_with("Buffers: shared")).expect("buffers");
    let pages = buffers
        .split_whitespace()
        .filter_map(|word| word.split_once('='))
        .filter(|(what, _)| ["hit", "read"].contains(what))
        .map(|(_, pages)| pages.parse::<i64>().expect("a number"))
        .sum();
    (plan, pages)
}

#[tokio::test]
async fn the_head_of_the_queue_is_found_without_its_dead_rows() {
    for analysed in [false, true] {
        let database = database().await;
        let store = Store::connect(&database.url, 2).await.expect("a store");
        let (sql, _reader) = dead_rows(&database, analysed).await;
        for (name, prepare, statement, parameters, most) in [
            (
                "claim_batches",
                heatmap::store::sql::PREPARE_FOLD,
                sql::CLAIM_BATCHES,
                "5, 100, 1000, 100",
                1_000,
            ),
            ("lock_oldest_row", heatmap::store::sql::PREPARE_FOLD, sql::LOCK_OLDEST_ROW, "5", 50),
            ("read_busy_lanes", sql::PREPARE_QUEUE, sql::READ_BUSY_LANES, "16, '2027-01-01', 9", 500),
            ("read_oldest_queued", sql::PREPARE_QUEUE, sql::READ_OLDEST_QUEUED, "16", 500),
            // It counts all that wait, a row each.
            ("read_queue_depth", sql::PREPARE_QUEUE, sql::READ_QUEUE_DEPTH, "", 22_000),
        ] {
            let (plan, before) = explain(&sql, prepare, statement, parameters).await;
            assert!(!plan.contains("Seq Scan on heartbeat_queue "), "{name}, analysed {analysed}\n{plan}");
            assert!(!plan.contains("Bitmap"), "{name}, analysed {analysed}\n{plan}");
            // From the beginning it is a long way; this is what the heads are for.
            assert!(before > most, "{name}: {before} pages\n{plan}");
        }
        // Other tests have transactions on the same server, which the heads wait for.
        until("the heads have moved", Duration::from_secs(60), async || {
            store.advance_queue_heads(false).await.expect("advanced");
            let heads = "SELECT min(head) FROM heartbeat_queue_heads, unnest(heads) AS head";
            let least: Option<i64> = sql.query_one(heads, &[]).await.expect("a row").get(0);
            least.is_some_and(|least| least > DEAD).then_some(())
        })
        .await;
        for (name, prepare, statement, parameters, most) in [
            (
                "claim_batches",
                heatmap::store::sql::PREPARE_FOLD,
                sql::CLAIM_BATCHES,
                "5, 100, 1000, 100",
                1_000,
            ),
            ("lock_oldest_row", heatmap::store::sql::PREPARE_FOLD, sql::LOCK_OLDEST_ROW, "5", 50),
            ("read_busy_lanes", sql::PREPARE_QUEUE, sql::READ_BUSY_LANES, "16, '2027-01-01', 9", 500),
            ("read_oldest_queued", sql::PREPARE_QUEUE, sql::READ_OLDEST_QUEUED, "16", 500),
            ("read_queue_depth", sql::PREPARE_QUEUE, sql::READ_QUEUE_DEPTH, "", 22_000),
        ] {
            let (plan, pages) = explain(&sql, prepare, statement, parameters).await;
            assert!(pages <= most, "{name}, analysed {analysed}: {pages} pages\n{plan}");
            assert!(!plan.contains("Seq Scan on heartbeat_queue "), "{name}, analysed {analysed}\n{plan}");
        }
    }
}

/// Whatever the statistics say of slots that fill and empty: each id is one look into the index, and only the two slots in use
/// are looked at or locked.
#[tokio::test]
async fn batch_ids_are_looked_up_one_by_one_in_the_slots_in_use() {
    for analysed in [false, true] {
        let database = database().await;
        let sql = database.connect().await;
        sql.batch_execute(
            "INSERT INTO batch_ids SELECT slot, gen_random_uuid(), 1, '[]'
             FROM generate_series(0, 2) slot, generate_series(1, 20000)",
        )
        .await
        .expect("ids");
        if analysed {
            sql.batch_execute("ANALYZE").await.expect("statistics");
        }
        for (prepare, statement, parameters) in [
            (
                sql::PREPARE_HTTP_IDS,
                sql::INSERT_BATCH_IDS,
                "1::smallint, 0::smallint, ARRAY[gen_random_uuid(), gen_random_uuid()], '{1,1}', '{[],[]}'",
            ),
            (
                sql::PREPARE_IDS,
                sql::READ_BATCH_IDS,
                "1::smallint, 0::smallint, ARRAY[gen_random_uuid(), gen_random_uuid()]",
            ),
        ] {
            let (plan, pages) = explain(&sql, prepare, statement, parameters).await;
            assert!(!plan.contains("Seq Scan on batch_ids_") && !plan.contains("Hash"), "{analysed}\n{plan}");
            assert!(!plan.contains(" on batch_ids_2") && pages < 60, "{analysed}: {pages} pages\n{plan}");

            sql.batch_execute("BEGIN").await.expect("a transaction");
            sql.batch_execute(prepare).await.expect("its settings");
            sql.batch_execute(&format!("PREPARE asked AS {statement}; EXECUTE asked ({parameters})"))
                .await
                .expect("an answer");
            let locked = sql
                .query(
                    "SELECT DISTINCT relation::regclass::text FROM pg_locks
                     WHERE pid = pg_backend_pid() AND relation::regclass::text ~ '^batch_ids_[0-9]$' ORDER BY 1",
                    &[],
                )
                .await
                .expect("the locks");
            let locked: Vec<&str> = locked.iter().map(|row| row.get(0)).collect();
            assert_eq!(locked, ["batch_ids_0", "batch_ids_1"], "{statement}");
            sql.batch_execute("DEALLOCATE asked; ROLLBACK").await.expect("the end");
        }
    }
}
