//! A salt is made once, shared by every process, and found in no other place than its table.

use chrono::{NaiveDate, TimeDelta};
use heatstrip::{
    clock::Clock,
    events::hashed::HashedHeartbeats,
    events::heartbeat::ViewerId,
    postgres::Store,
    viewers::{
        epoch::Rotation,
        hash::{Salt, viewer_hash},
        salt::{SaltError, SaltSource, Salts},
    },
};
use serde_json::json;
use tokio_postgres::{Client, NoTls};

use crate::support::{App, Settings, TestDatabase, database};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn given(salt: &str) -> SaltSource {
    SaltSource::Given(Salt::new(salt.into()))
}

/// Returns the salts as another process on the same database has them.
async fn salts(database: &TestDatabase, source: SaltSource) -> Salts {
    let store = Store::connect(&database.url, 4).await.expect("a migrated database");
    Salts::new(store, source, Clock::by_hand(Settings::default().now))
}

async fn connect(database: &TestDatabase) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// An epoch is its first and last day, its rotation, and the bytes of its salt and of its fingerprint.
type Epoch = (String, String, String, Option<i32>, Option<i32>);

async fn epochs(client: &Client) -> Vec<Epoch> {
    let rows = client
        .query(
            "SELECT first_day::text, last_day::text, rotation, length(salt), length(fingerprint)
             FROM salt_epochs ORDER BY first_day",
            &[],
        )
        .await
        .expect("the epochs");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))).collect()
}

fn made(first: &str, last: &str, rotation: &str) -> Epoch {
    (first.into(), last.into(), rotation.into(), Some(32), None)
}

#[tokio::test]
async fn a_salt_is_made_on_first_use_and_shared() {
    let database = database().await;
    let client = connect(&database).await;
    let one = salts(&database, SaltSource::Made(Rotation::Daily)).await;
    let other = salts(&database, SaltSource::Made(Rotation::Daily)).await;
    assert_eq!(epochs(&client).await, [], "nobody needed one yet");
    let today = one.salt(day("2026-11-21")).await.expect("a salt");
    assert_eq!(other.salt(day("2026-11-21")).await.expect("a salt"), today);
    assert_eq!(one.salt(day("2026-11-21")).await.expect("a salt"), today, "kept at hand");
    let before = other.salt(day("2026-11-20")).await.expect("a salt");
    assert_eq!(one.salt(day("2026-11-20")).await.expect("a salt"), before);
    assert_ne!(before, today);
    assert_eq!(
        epochs(&client).await,
        [made("2026-11-20", "2026-11-20", "daily"), made("2026-11-21", "2026-11-21", "daily"),]
    );
    // The salt in the table is the one that is hashed with.
    let stored: Vec<u8> = client
        .query_one("SELECT salt FROM salt_epochs WHERE first_day = '2026-11-21'", &[])
        .await
        .expect("the salt")
        .get(0);
    assert_eq!(Salt::new(stored), today);
}

#[tokio::test]
async fn days_of_an_epoch_share_its_salt() {
    for (rotation, first, last) in [
        (Rotation::Weekly, "2026-11-16", "2026-11-22"),
        (Rotation::Monthly, "2026-11-01", "2026-11-30"),
        (Rotation::Never, "0001-01-01", "9999-12-31"),
    ] {
        let database = database().await;
        let client = connect(&database).await;
        let salts = salts(&database, SaltSource::Made(rotation)).await;
        let salt = salts.salt(day("2026-11-21")).await.expect("a salt");
        assert_eq!(epochs(&client).await, [made(first, last, rotation.name())]);
        for same in [first, last] {
            assert_eq!(salts.salt(day(same)).await.expect("a salt"), salt, "{rotation} {same}");
        }
        assert_eq!(epochs(&client).await.len(), 1);
        if rotation != Rotation::Never {
            let next = salts.salt(day(last) + TimeDelta::days(1)).await;
            assert_ne!(next.expect("a salt"), salt, "{rotation}");
            assert_eq!(epochs(&client).await.len(), 2);
        }
    }
}

/// Epochs of another rotation stay as they are, and new ones take the days that are left.
#[tokio::test]
async fn a_changed_rotation_takes_the_days_between() {
    let database = database().await;
    let client = connect(&database).await;
    let daily = salts(&database, SaltSource::Made(Rotation::Daily)).await;
    for known in ["2026-11-18", "2026-11-21"] {
        daily.salt(day(known)).await.expect("a salt");
    }
    let weekly = salts(&database, SaltSource::Made(Rotation::Weekly)).await;
    let between = weekly.salt(day("2026-11-20")).await.expect("a salt");
    assert_eq!(weekly.salt(day("2026-11-19")).await.expect("a salt"), between);
    weekly.salt(day("2026-11-22")).await.expect("a salt");
    assert_eq!(
        weekly.salt(day("2026-11-21")).await.expect("a salt"),
        daily.salt(day("2026-11-21")).await.expect("a salt"),
    );
    assert_eq!(
        epochs(&client).await,
        [
            made("2026-11-18", "2026-11-18", "daily"),
            made("2026-11-19", "2026-11-20", "weekly"),
            made("2026-11-21", "2026-11-21", "daily"),
            made("2026-11-22", "2026-11-22", "weekly"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_need_it_first_one_makes_it() {
    for rotation in [Rotation::Daily, Rotation::Weekly, Rotation::Never] {
        let database = database().await;
        let mut processes = Vec::new();
        for _ in 0..6 {
            processes.push(salts(&database, SaltSource::Made(rotation)).await);
        }
        let asked =
            processes.iter().flat_map(|salts| [salts.salt(day("2026-11-21")), salts.salt(day("2026-11-21"))]);
        let answers: Vec<Salt> = futures_util::future::try_join_all(asked).await.expect("each has one");
        assert!(answers.iter().all(|salt| *salt == answers[0]), "{rotation}");
        assert_eq!(epochs(&connect(&database).await).await.len(), 1, "{rotation}");
    }
}

/// Processes with different settings ask at the same moment, and a day has one salt whoever asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_day_has_one_salt_whatever_the_settings() {
    let database = database().await;
    let mut processes = Vec::new();
    for rotation in [Rotation::Daily, Rotation::Weekly, Rotation::Monthly, Rotation::Daily] {
        processes.push(salts(&database, SaltSource::Made(rotation)).await);
    }
    let days: Vec<NaiveDate> = (1..=30).map(|number| day(&format!("2026-11-{number:02}"))).collect();
    let asked = days.iter().rev().flat_map(|&day| processes.iter().map(move |salts| salts.salt(day)));
    let answers = futures_util::future::try_join_all(asked).await.expect("salts");
    for (answers, day) in answers.chunks(processes.len()).zip(days.iter().rev()) {
        assert!(answers.iter().all(|salt| *salt == answers[0]), "{day}");
    }
}

#[tokio::test]
async fn a_given_salt_is_used_for_every_day_and_not_stored() {
    let database = database().await;
    let client = connect(&database).await;
    let salts = salts(&database, given("pepper-2026-01-01")).await;
    salts.check().await.expect("a salt");
    for known in ["2020-02-29", "2026-11-21", "2040-01-01"] {
        let salt = salts.salt(day(known)).await.expect("a salt");
        // The value was made with Python's hashlib.
        assert_eq!(viewer_hash(&ViewerId::new("sess_91f2"), &salt), 0x1cd2_5f26_0728_a353);
    }
    assert_eq!(
        epochs(&client).await,
        [("0001-01-01".into(), "9999-12-31".into(), "never".into(), None, Some(49))]
    );
}

#[tokio::test]
async fn another_given_salt_refuses_to_start() {
    let database = database().await;
    let first = salts(&database, given("pepper-2026-01-01")).await;
    first.check().await.expect("a salt");
    for source in [given("pepper-2026-01-02"), given("pepper-2026-01-01 "), SaltSource::Made(Rotation::Daily)]
    {
        let salts = salts(&database, source.clone()).await;
        let error = salts.check().await.expect_err("another salt");
        assert!(matches!(error, SaltError::OtherSalt { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("HEATSTRIP_VIEWER_SALT") && !text.contains('\n'), "{text}");
        assert!(!text.contains("pepper") && !format!("{error:?} {source:?}").contains("pepper"), "{text}");
    }
    let same = salts(&database, given("pepper-2026-01-01")).await;
    same.check().await.expect("the same salt");
}

/// Returns the tables whose rows, as text, contain something; binary columns are hexadecimal there.
async fn found_in(client: &Client, wanted: &str) -> Vec<String> {
    let tables = client
        .query(
            "SELECT c.oid::regclass::text FROM pg_class c
             WHERE c.relkind IN ('r', 'm') AND c.relnamespace = 'public'::regnamespace ORDER BY 1",
            &[],
        )
        .await
        .expect("the tables");
    let mut found = Vec::new();
    for row in tables {
        let table: String = row.get(0);
        let rows: i64 = client
            .query_one(
                &format!("SELECT count(*) FROM {table} AS t WHERE position(lower($1) IN lower(t::text)) > 0"),
                &[&wanted],
            )
            .await
            .expect("a count")
            .get(0);
        if rows > 0 {
            found.push(table);
        }
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn viewer_ids_and_salts_are_nowhere_else() {
    const CANARY: &str = "canary-viewer-5c1e";
    const PEPPER: &str = "canary-pepper-77aa";
    for source in [SaltSource::Made(Rotation::Daily), given(PEPPER)] {
        let app = App::start(Settings { salts: source.clone(), ..Settings::default() }).await;
        let client = connect(&app.database).await;
        let heartbeat = |video_id: &str, viewer_id: &str| json!({"video_id": video_id, "start_sec": 0, "end_sec": 9, "viewer_id": viewer_id});
        // The heartbeats are good and bad ones; some stay in the queue, some are folded, some set aside, and a batch id
        // keeps an answer.
        let long = CANARY.repeat(20);
        let heartbeats =
            json!([heartbeat("seen", CANARY), heartbeat("", CANARY), heartbeat("seen", &long), CANARY]);
        let batch = json!({"batch_id": uuid::Uuid::now_v7(), "heartbeats": heartbeats});
        assert_eq!(app.post(batch.to_string()).await.status(), 202);
        client
            .batch_execute(
                "INSERT INTO heartbeat_queue (lane, enqueued_at, heartbeats, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
                 VALUES (0, now(), 1, '{seen}', '{JP}', '{2026-11-21}', '{-5}', '{-1}', '{7}')",
            )
            .await
            .expect("one that cannot be folded");
        app.fold().await;
        assert_eq!(app.post(heartbeat("queued", CANARY).to_string()).await.status(), 202);
        // The search finds a text that is there.
        assert_eq!(found_in(&client, &hex(b"queued")).await, ["heartbeat_queue"]);
        let seen = found_in(&client, "seen").await;
        assert!(seen.contains(&"heartbeat_queue_failed".to_owned()), "{seen:?}");
        assert!(seen.iter().any(|table| table.starts_with("video_heatmap_shards")), "{seen:?}");

        for secret in [CANARY, PEPPER] {
            for written in [secret.to_owned(), hex(secret.as_bytes())] {
                assert_eq!(found_in(&client, &written).await, [""; 0], "{written}");
            }
        }
        let salts: Vec<Vec<u8>> = client
            .query("SELECT salt FROM salt_epochs WHERE salt IS NOT NULL", &[])
            .await
            .expect("the salts")
            .iter()
            .map(|row| row.get(0))
            .collect();
        assert_eq!(salts.len(), usize::from(matches!(source, SaltSource::Made(_))));
        for salt in salts {
            assert_eq!(found_in(&client, &hex(&salt)).await, ["salt_epochs"]);
        }
    }
}

/// The fixed salt reaches the sketches: the hash in the queue is the one another ingester would write.
#[tokio::test]
async fn a_heartbeat_is_hashed_as_another_ingester_hashes_it() {
    let app = App::start(Settings { salts: given("pepper-2026-01-01"), ..Settings::default() }).await;
    let client = connect(&app.database).await;
    for viewer_id in [r#""sess_91f2""#, r#""\u0073ess\u005f91f2""#] {
        let body = format!(r#"{{"video_id":"v","start_sec":0,"end_sec":0,"viewer_id":{viewer_id}}}"#);
        assert_eq!(app.post(body).await.status(), 202);
    }
    let rows = client.query("SELECT payload FROM heartbeat_queue", &[]).await.expect("the queue");
    let hashes: Vec<i64> = rows
        .iter()
        .flat_map(|row| {
            let queued = HashedHeartbeats::queued(row.get(0), 1, 1);
            queued.iter().map(|heartbeat| heartbeat.expect("a heartbeat").viewer_hash).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(hashes, [0x1cd2_5f26_0728_a353; 2]);
    app.fold().await;
    let same: bool = client
        .query_one(
            "SELECT bool_and(viewers = hll_add(hll_empty(12, 5), hll_hash_bigint($1))) FROM video_heatmap_shards",
            &[&0x1cd2_5f26_0728_a353_i64],
        )
        .await
        .expect("the sketches")
        .get(0);
    assert!(same);
}

/// A day whose salt is destroyed takes nobody any more, and costs the other days nothing.
#[tokio::test]
async fn a_destroyed_salt_refuses_its_day_alone() {
    let app = App::start(Settings::default()).await;
    let client = connect(&app.database).await;
    client
        .batch_execute(
            "INSERT INTO salt_epochs (first_day, last_day, rotation, made_at)
             VALUES ('2026-11-20', '2026-11-20', 'daily', '2026-11-20')",
        )
        .await
        .expect("a tombstone");
    let heartbeat =
        |at: &str| json!({"video_id": "v", "start_sec": 0, "end_sec": 0, "viewer_id": "w", "at": at});
    let body = json!([heartbeat("2026-11-20T20:00:00Z"), heartbeat("2026-11-21T09:00:00Z")]);
    let answer: serde_json::Value = app.post(body.to_string()).await.json().await.expect("JSON");
    assert_eq!(
        answer,
        json!({"accepted": 1, "rejected": [{"index": 0, "field": "at", "reason": "too_old"}]})
    );
}
