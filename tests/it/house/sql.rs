//! Every statement is valid against a migrated database, and starts with its own name.

use std::{fs, path::Path};

use heatstrip::postgres::migrate::migrate;
use tokio_postgres::NoTls;

use super::sources;
use crate::support::database;

/// Statements that cannot be prepared: several in one text, or a command that takes no plan.
const SIMPLE: &[&str] = &[
    "prepare_http_ids",
    "prepare_ids",
    "prepare_queue",
    "prepare_replay_ids",
    "prepare_turn",
    "prepare_lock",
    "prepare_session",
    "begin",
    "prepare_fold",
    "prepare_fold_distributed",
    "prepare_read_distributed",
    "prepare_audience_distributed",
    "prepare_read",
    "prepare_audience",
    "prepare_compaction",
    "prepare_nightly",
    "lift_timeouts",
    "limit_migration_wait",
    "create_history",
    "prepare_write",
    "prepare_names",
    "prepare_pieces",
    "prepare_reads",
    "prepare_export",
    "prepare_views",
    "prepare_view_reads",
    "prepare_view_pieces",
];

/// Statements of this name ask what only Citus knows; they are executed where there is a cluster.
const CITUS: &str = "citus_";

/// A file of `sql/queries`.
struct Statement {
    folder: String,
    name: String,
    text: String,
}

fn statements() -> Vec<Statement> {
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/queries");
    let mut statements = Vec::new();
    for folder in fs::read_dir(&queries).expect("the folder of queries") {
        let folder = folder.expect("an entry").path();
        for file in fs::read_dir(&folder).expect("a folder of queries") {
            let path = file.expect("an entry").path();
            let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a statement");
            statements.push(Statement { folder: name(&folder), name: name(&path), text });
        }
    }
    assert!(statements.len() > 50, "the statements are elsewhere");
    statements
}

#[tokio::test]
async fn every_statement_prepares() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    for Statement { folder, name, text } in statements() {
        assert_eq!(text.lines().next(), Some(format!("-- {name}").as_str()), "line 1 of {folder}/{name}.sql");
        if name.starts_with(CITUS) {
            continue;
        }
        let outcome = match SIMPLE.contains(&name.as_str()) {
            true => client.batch_execute(&text).await,
            false => client.prepare(&text).await.map(|_| ()),
        };
        outcome.unwrap_or_else(|error| panic!("{folder}/{name}: {error:?}"));
    }
}

/// A file nobody lists would be prepared above and yet be dead.
#[test]
fn every_statement_is_used() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for Statement { folder, name, .. } in statements() {
        let lists = ["sql.rs", "store/sql.rs"].map(|list| source.join(&folder).join(list));
        let list = lists.iter().find(|list| list.exists()).expect("a folder of queries mirrors one of src");
        let list = fs::read_to_string(list).expect("a list");
        assert!(list.contains(&format!("\"{name}\";")), "src/{folder} does not list {name}");
        let constant = name.to_uppercase();
        let used = sources().iter().filter(|file| !file.ends_with("sql.rs")).any(|file| {
            fs::read_to_string(file).expect("a source file").contains(&format!("sql::{constant}"))
        });
        assert!(used, "nobody runs {folder}/{name}.sql");
    }
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
            heatstrip::postgres::Store::connect(&database.url, 2).await.err().expect("refused").to_string();
        assert!(error.contains(says) && !error.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn other_sketch_parameters_are_refused() {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
        .batch_execute("ALTER TABLE video_heatmap_5s ALTER viewers TYPE hll(11,5)")
        .await
        .expect("an empty table");
    let error =
        heatstrip::postgres::Store::connect(&database.url, 2).await.err().expect("refused").to_string();
    assert!(error.contains("video_heatmap_5s.viewers has type hll(11,5,-1,1)"), "{error}");
}
