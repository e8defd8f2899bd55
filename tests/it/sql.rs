//! Every statement is valid against a migrated database, and starts with its own name.

use heatstrip::store::{migrate::migrate, sql};
use tokio_postgres::NoTls;

use crate::support::database;

/// Statements that cannot be prepared: several in one text, or a command that takes no plan.
const SIMPLE: &[&str] = &[
    "prepare_batch_ids",
    "prepare_fold",
    "prepare_read",
    "prepare_compaction",
    "prepare_nightly",
    "lift_timeouts",
];

#[tokio::test]
async fn every_statement_prepares() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    for (name, text) in sql::ALL {
        assert_eq!(text.lines().next(), Some(format!("-- {name}").as_str()), "line 1 of {name}.sql");
        let outcome = match SIMPLE.contains(name) {
            true => client.batch_execute(text).await,
            false => client.prepare(text).await.map(|_| ()),
        };
        outcome.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

#[test]
fn every_file_is_used() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/queries");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of queries")
        .map(|entry| {
            entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
        })
        .collect();
    files.sort_unstable();
    let mut used: Vec<&str> = sql::ALL.iter().map(|(name, _)| *name).collect();
    used.sort_unstable();
    assert_eq!(files, used);
}

#[tokio::test]
async fn every_table_and_column_is_commented() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let bare = client
        .query(
            "SELECT c.relname || coalesce('.' || a.attname, '') AS name
             FROM pg_class c
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                 AND c.relname <> 'refinery_schema_history'
                 AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL)",
            &[],
        )
        .await
        .expect("the catalog");
    let names: Vec<&str> = bare.iter().map(|row| row.get("name")).collect();
    assert!(names.is_empty(), "without a comment: {names:?}");
}

#[tokio::test]
async fn two_processes_may_migrate_at_once() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
        .batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .await
        .expect("an empty database");
    let (first, second) = tokio::join!(migrate(&database.url, 4), migrate(&database.url, 8));
    first.expect("one migrates");
    second.expect("the other finds it done");
    let lanes: i16 = client.query_one("SELECT lanes FROM engine", &[]).await.expect("one row").get(0);
    assert!([4, 8].contains(&lanes), "the first migration decides the lanes");
}

#[tokio::test]
async fn an_unknown_schema_is_refused() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    for (change, says) in [
        ("UPDATE refinery_schema_history SET version = 99 WHERE version = 1", "run a newer heatstrip"),
        ("DROP TABLE refinery_schema_history", "run `heatstrip migrate`"),
    ] {
        client.batch_execute(change).await.expect("the change");
        let error =
            heatstrip::store::Store::connect(&database.url, 2).await.err().expect("refused").to_string();
        assert!(error.contains(says) && !error.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn other_sketch_parameters_are_refused() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
        .batch_execute("ALTER TABLE video_heatmap ALTER viewers TYPE hll(11,5)")
        .await
        .expect("an empty table");
    let error = heatstrip::store::Store::connect(&database.url, 2).await.err().expect("refused").to_string();
    assert!(error.contains("video_heatmap.viewers has type hll(11,5,-1,1)"), "{error}");
}
