//! Partitions are dropped beside whoever reads: nobody waits for it long, and it does not wait for ever.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    time::Duration,
};

use chrono::{Days, NaiveDate, Utc};
use heatstrip::postgres::Store;
use tokio_postgres::Client;
use tokio_util::task::AbortOnDropHandle;

use crate::support::{App, Settings, TestDatabase, database, until};

const DEADLINE: Duration = Duration::from_secs(30);
/// Whoever waits for a lock this long fails: far longer than a drop waits.
const PATIENCE: &str = "SET lock_timeout = '5s'";

/// The locks of a table of this database: others have tables of the same number.
const LOCKS: &str = "pg_locks WHERE relation = 'video_heatmap_shards'::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

fn day() -> NaiveDate {
    "2026-11-20".parse().expect("a day")
}

async fn count(sql: &Client, from: &str) -> i64 {
    sql.query_one(&format!("SELECT count(*) FROM {from}"), &[]).await.expect("a count").get(0)
}

/// A database with empty partitions of a day, which are to be dropped.
async fn with_partitions() -> (TestDatabase, Store) {
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    store.ensure_shard_partitions(&[day()].into()).await.expect("partitions");
    (database, store)
}

fn dropping(store: &Store) -> AbortOnDropHandle<bool> {
    let store = store.clone();
    AbortOnDropHandle::new(tokio::spawn(async move {
        store.drop_shard_partition(day()).await.expect("it is dropped or left")
    }))
}

/// Reads that overlap all the time, each of which is short.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_reads_that_overlap_keep_nothing() {
    let (database, store) = with_partitions().await;
    let mut readers = Vec::new();
    for reader in 0..8 {
        let sql = database.connect().await;
        readers.push(AbortOnDropHandle::new(tokio::spawn(async move {
            sql.batch_execute(&format!("{PATIENCE}; SELECT pg_sleep(0.025 * {reader})")).await?;
            loop {
                let read = "BEGIN; SELECT count(*) FROM video_heatmap_shards; SELECT pg_sleep(0.2); COMMIT";
                sql.batch_execute(read).await?;
            }
            #[expect(unreachable_code, reason = "it says what a read fails with")]
            Ok::<(), tokio_postgres::Error>(())
        })));
    }
    let sql = database.connect().await;
    until("all of them read", DEADLINE, async || (count(&sql, LOCKS).await >= 8).then_some(())).await;
    assert!(dropping(&store).await.expect("no panic"), "in use by others all the time, and dropped");
    assert!(readers.iter().all(|reader| !reader.is_finished()), "nobody waited in vain");
}

/// An analyst's transaction: the drop would wait in vain, and everybody else would wait behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_behind_a_drop_that_waits_for_a_long_reader() {
    let (database, store) = with_partitions().await;
    let (analyst, reader, sql) =
        (database.connect().await, database.connect().await, database.connect().await);
    analyst.batch_execute("BEGIN; SELECT count(*) FROM video_heatmap_shards").await.expect("a long reader");
    reader.batch_execute(PATIENCE).await.expect("a setting");
    let dropping = dropping(&store);
    // The looks that the drop took, which are all that is committed, and the times that it asked for the table.
    let (mut looks, mut asked): (BTreeSet<String>, BTreeSet<String>) = Default::default();
    until("it has looked some times", DEADLINE, async || {
        let look = "SELECT state_change::text FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'heatstrip' AND query = 'COMMIT'";
        looks.extend(sql.query(look, &[]).await.expect("the activity").iter().map(|row| row.get(0)));
        let wait = format!(
            "SELECT waitstart::text FROM {LOCKS} AND NOT granted AND mode = 'AccessExclusiveLock'
            AND waitstart IS NOT NULL"
        );
        asked.extend(sql.query(&wait, &[]).await.expect("the locks").iter().map(|row| row.get(0)));
        reader.batch_execute("SELECT count(*) FROM video_heatmap_shards").await.expect("a read gets through");
        (looks.len() >= 6).then_some(())
    })
    .await;
    assert!(asked.len() <= 1, "it asked {} times though the reader was there before", asked.len());
    assert!(!dropping.is_finished());
    analyst.batch_execute("COMMIT").await.expect("the reader ends");
    assert!(dropping.await.expect("no panic"), "it is dropped once the reader has ended");
}

/// The job dies behind each drop; the next one goes on with the rest.
#[tokio::test]
async fn a_job_may_die_between_two_drops() {
    let app = App::start(Settings { now: Utc::now(), ..Settings::default() }).await;
    let sql = app.database.connect().await;
    let old = Utc::now().date_naive() - Days::new(70);
    sql.batch_execute(&format!("SELECT ensure_canonical_partition('{old}')")).await.expect("partitions");
    let compact = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heatstrip"));
        command
            .args(["compact"])
            .env("DATABASE_URL", &app.database.url)
            .env("HEATSTRIP_RETENTION_DAYS", "1")
            .stdout(Stdio::null());
        command
    };
    let left = async || {
        count(&sql, &format!("pg_class WHERE relname LIKE 'video\\_heatmap%\\_{}'", old.format("%Y%m"))).await
    };
    let before = left().await;
    assert!(before >= 6, "{before}");
    let status = compact().env("FAILPOINTS", "retention::dropped=return").status().expect("the program");
    assert!(!status.success(), "it died");
    assert_eq!(left().await, before - 1, "one is dropped, for good");
    assert!(compact().status().expect("the program").success());
    assert_eq!(left().await, 0);
}
