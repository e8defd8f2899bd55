//! A database that the version before runs has filled: rows of seconds in the shards and compacted, estimates of closed
//! epochs, and a queue of arrays. Nothing it answered may change.

use std::{collections::BTreeMap, io::Read};

use flate2::read::GzDecoder;
use heatstrip::{
    heatmap::compaction,
    postgres::{Store, migrate::migrate},
    work::nightly::{self, Keep},
};
use serde_json::Value;

use crate::support::{App, Settings, database};

/// What `pg_dump --inserts` wrote of it, with 12 heartbeats still queued.
const FILLED: &[u8] = include_bytes!("../../data/earlier/filled.sql.gz");
/// What it answered once they were folded, by path and without `generated_at`.
const ANSWERS: &[u8] = include_bytes!("../../data/earlier/answers.json.gz");

fn unpacked(packed: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).expect("text");
    text
}

async fn assert_answers(app: &App, expected: &BTreeMap<String, Value>, when: &str) {
    for (path, expected) in expected {
        let mut answer = app.json(path).await;
        answer.as_object_mut().expect("an object").remove("generated_at");
        assert_eq!(answer, *expected, "{when}: {path}");
    }
}

#[tokio::test]
async fn a_database_of_the_version_before_answers_as_it_did() {
    let database = database().await;
    let sql = database.connect().await;
    sql.batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.expect("an empty database");
    database.connect().await.batch_execute(&unpacked(FILLED)).await.expect("the dump");
    let count = async |table: &str| -> i64 {
        sql.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.expect("a count").get(0)
    };
    assert!(count("video_heatmap_shards").await > 100 && count("heartbeat_queue").await > 0);
    migrate(&database.url, 16).await.expect("the migration");
    assert!(count("video_heatmap_second_shards").await > 100, "nothing is rewritten in place");

    let store = Store::connect(&database.url, 8).await.expect("a store");
    let settings =
        Settings { now: "2026-11-24T19:00:00Z".parse().expect("an instant"), ..Settings::default() };
    let app = App::start_on(database, store, settings).await;
    assert_eq!(app.fold().await, 12);
    let expected: BTreeMap<String, Value> =
        serde_json::from_str(&unpacked(ANSWERS)).expect("answers by path");
    assert!(expected.len() > 20);
    assert_answers(&app, &expected, "migrated").await;

    let through = "2026-11-19".parse().expect("a day");
    compaction::run(&app.store, through, |_| ()).await.expect("a compaction");
    assert_answers(&app, &expected, "closed days compacted").await;
    assert!(count("video_heatmap_second_shards").await > 0, "the open day is left");
    let through = "2026-11-20".parse().expect("a day");
    nightly::run(&app.store, &app.clock, through, Keep::default(), |_| ()).await.expect("a night");
    assert_eq!(count("video_heatmap_second_shards").await, 0, "the night empties it");
    assert_answers(&app, &expected, "after the night").await;
}
