//! `heatstrip doctor`: each thing is broken for real and is then named, with what to do.

use serde_json::Value;

use crate::support::{App, Settings, TestDatabase, database, heatstrip};

/// Returns the findings as JSON, and true if the command exits with 0.
async fn examine(database_url: &str) -> (Vec<Value>, bool) {
    let mut command = heatstrip(&["doctor", "--json"]);
    let output = command.env("DATABASE_URL", database_url).output().await.expect("the binary is there");
    let findings = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (findings, output.status.success())
}

/// Returns the levels of a check's findings.
fn levels<'a>(findings: &'a [Value], check: &str) -> Vec<&'a str> {
    let of_check = |finding: &&Value| finding["check"] == check;
    findings.iter().filter(of_check).map(|finding| finding["level"].as_str().expect("a level")).collect()
}

/// Breaks something with SQL and expects one check to say so, at this level and with advice.
async fn names(database: &TestDatabase, breaking: &str, check: &str, level: &str, seen: &str) {
    database.connect().await.batch_execute(breaking).await.expect(breaking);
    let (findings, healthy) = examine(&database.url).await;
    let found = findings
        .iter()
        .find(|finding| finding["check"] == check && finding["level"] == level)
        .unwrap_or_else(|| panic!("{breaking}: {findings:#?}"));
    assert!(found["seen"].as_str().expect("text").contains(seen), "{found}");
    assert!(found["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{found}");
    assert_eq!(healthy, !findings.iter().any(|finding| finding["level"] == "fail"), "{findings:#?}");
}

#[tokio::test]
async fn a_healthy_database_is_called_so() {
    let now = chrono::Utc::now();
    let app = App::start(Settings { now, ..Settings::default() }).await;
    let body = r#"{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"a"}"#;
    assert_eq!(app.post(body).await.status(), 202);
    app.fold().await;
    let (findings, healthy) = examine(&app.database.url).await;
    assert!(healthy, "{findings:#?}");
    for check in [
        "postgres",
        "durability",
        "autovacuum",
        "memory",
        "clock",
        "connections",
        "hll",
        "schema",
        "salts",
        "partitions",
        "queue",
        "set aside",
        "compaction",
    ] {
        assert_eq!(levels(&findings, check), ["ok"], "{check}: {findings:#?}");
    }
    assert!(findings.iter().all(|finding| finding.get("advice").is_none()), "nothing to do: {findings:#?}");

    let mut command = heatstrip(&["doctor"]);
    let output = command.env("DATABASE_URL", &app.database.url).output().await.expect("the binary");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.lines().count() == findings.len() && text.contains("ok    queue       empty"), "{text}");
}

#[tokio::test]
async fn a_postgres_that_is_not_there() {
    let (findings, healthy) = examine("postgresql://nobody@127.0.0.1:1/nothing").await;
    assert_eq!((levels(&findings, "postgres"), healthy), (vec!["fail"], false));
    assert!(!findings[0]["seen"].as_str().expect("text").is_empty());
}

#[tokio::test]
async fn what_is_broken_is_named() {
    let database = &database().await;
    // The rows below break each thing for real.
    names(database, "SELECT 1", "salts", "warn", "none for today").await;
    names(
        database,
        "INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at)
         VALUES (current_date - 9, current_date - 9, 'daily', '\\x00', now() - interval '9 days')",
        "old salts",
        "fail",
        "1 salts are kept longer",
    )
    .await;
    let enqueued = |age: &str| {
        format!(
            "DELETE FROM heartbeat_queue; INSERT INTO heartbeat_queue
             (lane, enqueued_at, heartbeats, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
             VALUES (0, now() - interval '{age}', 1, '{{v}}', '{{ZZ}}', ARRAY[current_date], '{{0}}', '{{9}}', '{{1}}')"
        )
    };
    names(database, &enqueued("2 minutes"), "queue", "warn", "1 heartbeats").await;
    names(database, &enqueued("1 hour"), "queue", "fail", "1 heartbeats").await;
    names(
        database,
        "INSERT INTO heartbeat_queue_failed (failed_at, reason, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
         VALUES (now(), 'it is poison', 'v', 'ZZ', current_date, 0, 9, 1)",
        "set aside",
        "warn",
        "it is poison",
    )
    .await;
    names(
        database,
        "SELECT ensure_shard_partition(current_date - n) FROM generate_series(1, 9) AS n",
        "compaction",
        "warn",
        "9 days wait",
    )
    .await;
    names(database, "SELECT ensure_shard_partition(current_date + 30)", "partitions", "fail", "has not come")
        .await;
    names(
        database,
        "CREATE TABLE video_heatmap_shards_20200101 (LIKE video_heatmap_shards)",
        "partitions",
        "fail",
        "video_heatmap_shards_20200101 is not attached",
    )
    .await;
    names(
        database,
        "DO $$ BEGIN EXECUTE format('ALTER TABLE video_heatmap_shards DETACH PARTITION video_heatmap_shards_%s',
            to_char(current_date - 1, 'YYYYMMDD')); END $$",
        "partitions",
        "fail",
        "has no twin",
    )
    .await;
    for (setting, check, level) in
        [("synchronous_commit = off", "durability", "fail"), ("synchronous_commit = on", "durability", "ok")]
    {
        let change = format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting}', current_database()); END $$"
        );
        database.connect().await.batch_execute(&change).await.expect("the setting");
        assert_eq!(levels(&examine(&database.url).await.0, check), [level], "{setting}");
    }
    names(
        database,
        "UPDATE refinery_schema_history SET version = 99 WHERE version = 1",
        "schema",
        "fail",
        "run a newer heatstrip",
    )
    .await;
}

#[tokio::test]
async fn a_database_without_a_schema_or_hll() {
    let database = &database().await;
    names(database, "DROP TABLE refinery_schema_history", "schema", "fail", "run `heatstrip migrate`").await;
    names(database, "DROP EXTENSION hll CASCADE", "hll", "fail", "not in this database").await;
}
