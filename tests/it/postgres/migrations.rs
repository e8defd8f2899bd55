//! Migrations beside traffic: they wait for nobody in front of others, and go through in the end.

use std::time::{Duration, Instant};

use heatstrip::postgres::{Store, migrate::migrate};

use crate::support::{database, until};

/// Somebody may wait behind a migration that waits for so long, and a slow machine for more.
const MOST: Duration = Duration::from_millis(1_500);

#[tokio::test]
async fn a_migration_that_waits_makes_nobody_wait() {
    let database = database().await;
    let sql = database.connect().await;
    // As it was before the migration of the nights.
    sql.batch_execute(
        "DROP TABLE nights, video_heatmap_uncounted;
         ALTER TABLE retention DROP COLUMN thinned_to;
         DELETE FROM refinery_schema_history WHERE version = 16",
    )
    .await
    .expect("an earlier schema");
    let error = Store::connect(&database.url, 2).await.err().expect("it lacks a migration").to_string();
    assert!(error.contains("lacks migration 16") && error.contains("heatstrip migrate"), "{error}");

    let dump = database.connect().await;
    dump.batch_execute("BEGIN; SELECT * FROM retention").await.expect("what a dump holds");
    let url = database.url.clone();
    let migrating = tokio::spawn(async move { migrate(&url, 16).await });
    until("the migration meets the dump", Duration::from_secs(20), async || {
        let query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'retention'::regclass";
        (sql.query_one(query, &[]).await.expect("the locks").get::<_, i64>(0) > 0).then_some(())
    })
    .await;
    // Traffic goes on for as long as it takes the migration to try thrice.
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    while began.elapsed() < Duration::from_secs(4) {
        let asked = Instant::now();
        sql.query("SELECT kept_from FROM retention", &[]).await.expect("a read");
        slowest = slowest.max(asked.elapsed());
    }
    assert!(slowest < MOST, "somebody waited for {slowest:?}");
    assert!(!migrating.is_finished(), "the migration still tries");
    let half = sql.query("SELECT FROM pg_class WHERE relname = 'nights'", &[]).await.expect("the catalog");
    assert!(half.is_empty(), "nothing is half done");

    dump.batch_execute("COMMIT").await.expect("the dump ends");
    migrating.await.expect("no panic").expect("the migration goes through");
    let store = Store::connect(&database.url, 2).await.expect("the schema is whole");
    assert!(store.nights().await.expect("a table").is_empty());
}

/// A process that runs already stays in service beside a newer schema; one that starts says which version to run.
#[tokio::test]
async fn who_runs_already_goes_on_beside_a_newer_schema() {
    let database = database().await;
    let store = Store::connect(&database.url, 2).await.expect("a store");
    let sql = database.connect().await;
    sql.batch_execute("INSERT INTO refinery_schema_history VALUES (9999, 'newer', now()::text, '1')")
        .await
        .expect("a newer schema");
    store.check().await.expect("it goes on");
    let error = Store::connect(&database.url, 2).await.err().expect("refused").to_string();
    assert!(error.contains("run a newer heatstrip"), "{error}");
}

/// A migration of a branch that lands later may have a lower number than those that are applied.
#[tokio::test]
async fn a_migration_that_was_changed_is_refused() {
    let database = database().await;
    let sql = database.connect().await;
    sql.batch_execute("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 3")
        .await
        .expect("another file");
    let error = migrate(&database.url, 16).await.expect_err("refused").to_string();
    assert!(error.contains("not the one that this database has"), "{error}");
}
