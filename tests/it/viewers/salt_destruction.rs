//! A salt that is destroyed is nowhere any more, and nobody is hashed with it.

use std::{path::Path, process::Command};

use chrono::NaiveDate;
use heatstrip::{
    catalogue::durations::Durations,
    events::refusal::Reason,
    import::replay::{Chunk, Destination, Summary},
    viewers::{
        epoch::Rotation,
        hash::Salt,
        salt::{self, SaltError, SaltSource, Salts},
        store::Destruction,
    },
    work::nightly::{self, Keep},
};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    support::{App, Settings},
    viewers::salt_epochs::{at, day, epochs, raw, watch},
};

/// Returns the salt bytes as the table holds them.
pub async fn salt_bytes(client: &Client, day: NaiveDate) -> Vec<u8> {
    let row = client
        .query_one(
            "SELECT coalesce(salt, fingerprint) FROM salt_epochs WHERE $1 BETWEEN first_day AND last_day",
            &[&day],
        )
        .await
        .expect("an epoch");
    row.get(0)
}

/// Returns the relations of the database, catalogs and indexes too, in whose files the bytes stand.
pub async fn files_with(client: &Client, bytes: &[u8]) -> Vec<String> {
    client.batch_execute("CHECKPOINT").await.expect("a checkpoint");
    let rows = client
        .query(
            "SELECT relname::text FROM pg_class
             WHERE pg_relation_filepath(oid) IS NOT NULL
                 AND position($1 IN pg_read_binary_file(pg_relation_filepath(oid), 0, 1 << 28, true)) > 0",
            &[&bytes],
        )
        .await
        .expect("the files");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn setting(client: &Client, statement: &str) -> String {
    client.query_one(statement, &[]).await.expect("a row").get(0)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a dump of the whole database, as a backup would be made now.
async fn dump(app: &App, client: &Client) -> Vec<u8> {
    let programs = setting(client, "SELECT setting FROM pg_config WHERE name = 'BINDIR'").await;
    let dumped = Command::new(Path::new(&programs).join("pg_dump"))
        .arg(&app.database.url)
        .output()
        .expect("pg_dump runs");
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    dumped.stdout
}

async fn strips(app: &App) -> Vec<Value> {
    let mut strips = Vec::new();
    for range in ["", "?from=2026-11-20&to=2026-11-20", "?resolution=60"] {
        let mut strip = app.json(&format!("/v1/videos/v/heatmap{range}")).await;
        strip.as_object_mut().expect("an object").remove("generated_at").expect("when it was made");
        strips.push(strip);
    }
    strips
}

async fn replay(app: &App, salts: &Salts, at: &str) -> Summary {
    let destination = Destination::Queue {
        queue: app.store.clone().into(),
        salts: salts.clone(),
        durations: Durations::new(app.store.clone()),
        clock: app.clock.clone(),
    };
    let beat = json!({"video_id": "v", "start_sec": 0, "end_sec": 4, "viewer_id": "ada", "at": at});
    let chunk = Chunk { id: None, first_index: 0, elements: vec![beat.to_string()] };
    let region = "ZZ".parse().expect("a region");
    let mut summary = Summary::default();
    destination.deliver(&chunk, &region, None, &mut summary).await.expect("delivered");
    summary
}

#[tokio::test]
async fn nothing_is_left_of_a_destroyed_salt() {
    let app = App::start(Settings { now: at("2026-11-20T23:00:00Z"), ..Settings::default() }).await;
    watch(&app, "ada", None).await;
    watch(&app, "bob", None).await;
    app.clock.set(at("2026-11-21T10:00:00Z"));
    watch(&app, "ada", None).await;
    watch(&app, "ada", Some("2026-11-20T22:00:00Z")).await;
    app.fold().await;
    let client = raw(&app.database).await;
    client.batch_execute("ANALYZE").await.expect("statistics");
    let first = day("2026-11-20");
    let bytes = salt_bytes(&client, first).await;
    assert_eq!(bytes.len(), 32);
    assert_eq!(files_with(&client, &bytes).await, ["salt_epochs"]);
    assert!(contains(&dump(&app, &client).await, hex(&bytes).as_bytes()));
    let before = strips(&app).await;
    assert_eq!(before[0]["scope"], "viewer-days");

    // The salt is destroyed two days after its epoch's end, and not a second sooner.
    app.clock.set(at("2026-11-22T23:59:59Z"));
    let destruction = app.store.destroy_salts(app.clock.now()).await.expect("a look");
    assert_eq!(destruction.salts, 0);
    assert_eq!(salt_bytes(&client, first).await, bytes);
    app.clock.set(at("2026-11-23T00:00:00Z"));
    assert_eq!(salt::destroy(&app.store, app.clock.now()).await.expect("destroyed"), 1);

    assert_eq!(epochs(&client).await, ["2026-11-20..2026-11-20 daily-", "2026-11-21..2026-11-21 daily"]);
    assert_eq!(files_with(&client, &bytes).await, Vec::<String>::new());
    let other = salt_bytes(&client, day("2026-11-21")).await;
    assert_eq!(files_with(&client, &other).await, ["salt_epochs"], "the look finds what is there");
    let dump = dump(&app, &client).await;
    assert!(!contains(&dump, hex(&bytes).as_bytes()) && contains(&dump, hex(&other).as_bytes()));
    let data = setting(&client, "SHOW data_directory").await;
    let log = std::fs::read(Path::new(&data).with_file_name("postgres.log")).expect("the server's log");
    assert!(!contains(&log, hex(&bytes).as_bytes()) && !contains(&log, &bytes));
    assert_eq!(strips(&app).await, before);
    // Nothing is left to do.
    assert_eq!(salt::destroy(&app.store, app.clock.now()).await.expect("nothing"), 0);
}

#[tokio::test]
async fn what_comes_afterwards_is_too_old() {
    let app = App::start(Settings { now: at("2026-11-20T23:00:00Z"), ..Settings::default() }).await;
    watch(&app, "ada", None).await;
    app.clock.set(at("2026-11-22T23:59:59Z"));
    watch(&app, "bob", Some("2026-11-20T23:59:59Z")).await;
    let salts = Salts::new(app.store.clone(), SaltSource::Made(Rotation::Daily), app.clock.clone());
    assert_eq!(replay(&app, &salts, "2026-11-20T10:00:00Z").await.accepted, 1);

    // Nobody has destroyed the salt yet, and it was read a second ago; it is not used any more all the same.
    app.clock.set(at("2026-11-23T00:00:00Z"));
    let error = salts.salt(day("2026-11-20")).await.expect_err("too late");
    assert!(matches!(error, SaltError::Destroyed(_)), "{error}");
    for destroyed in [false, true] {
        if destroyed {
            assert_eq!(salt::destroy(&app.store, app.clock.now()).await.expect("destroyed"), 1);
        }
        let summary = replay(&app, &salts, "2026-11-20T10:00:00Z").await;
        assert_eq!(summary.accepted, 0);
        assert_eq!(summary.rejected[&Reason::TooOld], (1, 0, Some("at".into())), "{destroyed}");
    }

    // A day that nobody has had a salt for yet gets one, which lives for two days.
    assert_eq!(replay(&app, &salts, "2026-11-01T10:00:00Z").await.accepted, 1);
    app.clock.set(at("2026-11-24T23:59:59Z"));
    assert_eq!(replay(&app, &salts, "2026-11-01T11:00:00Z").await.accepted, 1);
    app.clock.set(at("2026-11-25T00:00:00Z"));
    assert_eq!(replay(&app, &salts, "2026-11-01T12:00:00Z").await.accepted, 0);
    let night = nightly::run(&app.store, &app.clock, day("2026-11-24"), Keep::default(), |_| ()).await;
    assert_eq!(night.expect("a night").destroyed_salts, 1);
}

#[tokio::test]
async fn a_destruction_by_another_process_is_noticed() {
    let app = App::start(Settings { now: at("2026-11-20T23:00:00Z"), ..Settings::default() }).await;
    watch(&app, "ada", None).await;
    app.clock.set(at("2026-11-22T10:00:00Z"));
    watch(&app, "ada", Some("2026-11-20T23:00:00Z")).await;
    let ahead = at("2026-11-23T10:00:00Z");
    assert_eq!(salt::destroy(&app.store, ahead).await.expect("destroyed"), 1);
    app.clock.set(at("2026-11-22T10:01:00Z"));
    let late = json!({"video_id": "v", "start_sec": 0, "end_sec": 4, "viewer_id": "ada", "at": "2026-11-20T23:00:00Z"});
    let answer = app.post(late.to_string()).await;
    assert_eq!(answer.status(), 422);
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(answer["rejected"], json!([{"index": 0, "field": "at", "reason": "too_old"}]));
}

#[tokio::test]
async fn an_old_snapshot_is_waited_for() {
    let app = App::start(Settings::default()).await;
    watch(&app, "ada", None).await;
    let client = raw(&app.database).await;
    let bytes = salt_bytes(&client, day("2026-11-21")).await;
    let reader = raw(&app.database).await;
    reader
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM engine")
        .await
        .expect("a snapshot");
    let now = at("2026-11-24T00:00:00Z");
    let destroyed = |salts, wiped| Destruction { salts, wiped };
    let destruction = app.store.destroy_salts(now).await.expect("destroyed");
    assert_eq!(destruction, destroyed(1, false));
    assert_eq!(files_with(&client, &bytes).await, ["salt_epochs"]);
    // Nor does it queue behind somebody who uses the table, where others would wait for it.
    reader.batch_execute("COMMIT; BEGIN; SELECT count(*) FROM salt_epochs").await.expect("a lock");
    let destruction = app.store.destroy_salts(now).await.expect("not yet");
    assert_eq!(destruction, destroyed(0, false));
    reader.batch_execute("COMMIT").await.expect("the end");
    let destruction = app.store.destroy_salts(now).await.expect("at last");
    assert_eq!(destruction, destroyed(0, true));
    assert_eq!(files_with(&client, &bytes).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_given_salt_leaves_no_fingerprint() {
    let app = App::start(Settings {
        salts: SaltSource::Given(Salt::new(b"pepper".to_vec())),
        ..Settings::default()
    })
    .await;
    watch(&app, "ada", None).await;
    let client = raw(&app.database).await;
    let fingerprint = salt_bytes(&client, day("2026-11-21")).await;
    let salts = |source| Salts::new(app.store.clone(), source, app.clock.clone());
    let error = salts(SaltSource::Made(Rotation::Daily)).check().await;
    error.expect_err("it counts from tomorrow on");
    app.clock.set(at("2026-11-24T00:00:00Z"));
    assert_eq!(salt::destroy(&app.store, app.clock.now()).await.expect("destroyed"), 1);
    assert_eq!(files_with(&client, &fingerprint).await, Vec::<String>::new());
    let pepper = salts(SaltSource::Given(Salt::new(b"pepper".to_vec())));
    let error = pepper.salt(day("2026-11-20")).await.expect_err("gone");
    assert!(matches!(error, SaltError::Destroyed(_)), "{error}");
    pepper.check().await.expect("a new epoch");
    assert_eq!(epochs(&client).await, ["0001-01-01..2026-11-21 never-", "2026-11-22..9999-12-31 never+"]);
}
