//! Salt epochs over days, settings and processes. The clocks are moved by hand.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use heatstrip::{
    clock::Clock,
    postgres::Store,
    viewers::{
        epoch::Rotation::{Daily, Monthly, Never, Weekly},
        hash::Salt,
        salt::{SaltError, SaltSource, Salts},
    },
};
use serde_json::json;
use tokio_postgres::{Client, NoTls};

use crate::support::{App, Settings, TestDatabase, database};

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn given(text: &str) -> SaltSource {
    SaltSource::Given(Salt::new(text.into()))
}

pub async fn raw(database: &TestDatabase) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// Returns epochs as `first..last rotation`, with `+` for a salt of a setting and `-` for one that is destroyed.
pub async fn epochs(client: &Client) -> Vec<String> {
    let rows = client
        .query(
            "SELECT first_day || '..' || last_day || ' ' || rotation
                 || CASE WHEN fingerprint IS NOT NULL THEN '+' WHEN salt IS NULL THEN '-' ELSE '' END AS epoch
             FROM salt_epochs ORDER BY first_day",
            &[],
        )
        .await
        .expect("epochs");
    rows.iter().map(|row| row.get("epoch")).collect()
}

/// Starts another process on the same database, with a clock of its own.
async fn process(database: &TestDatabase, salts: SaltSource, now: &str) -> App {
    let store = Store::connect(&database.url, 8).await.expect("a migrated database");
    let database = TestDatabase { url: database.url.clone() };
    let settings = Settings { now: at(now), salts, ..Settings::default() };
    App::start_on(database, store, settings).await
}

/// Returns the salts as a process without traffic knows them.
async fn salts(database: &TestDatabase, source: SaltSource, now: &str) -> (Salts, Clock) {
    let store = Store::connect(&database.url, 4).await.expect("a migrated database");
    let clock = Clock::by_hand(at(now));
    (Salts::new(store, source, clock.clone()), clock)
}

pub async fn watch(app: &App, viewer: &str, at: Option<&str>) {
    let body = json!({"video_id": "v", "start_sec": 0, "end_sec": 4, "viewer_id": viewer, "at": at});
    let answer = app.post(body.to_string()).await;
    let status = answer.status();
    assert_eq!(status, 202, "{}", answer.text().await.expect("a text"));
}

/// Returns the viewers of a range, and what they are.
async fn viewers(app: &App, from: &str, to: &str) -> (u64, String) {
    let strip = app.json(&format!("/v1/videos/v/heatmap?from={from}&to={to}")).await;
    let scope = strip["scope"].as_str().expect("a scope").to_owned();
    (strip["viewers"].as_u64().expect("a number"), scope)
}

#[tokio::test]
async fn two_midnights() {
    let app = App::start(Settings { now: at("2026-11-20T23:59:00Z"), ..Settings::default() }).await;
    watch(&app, "ada", None).await;
    // A clock that runs ahead does not begin the next day.
    watch(&app, "ada", Some("2026-11-21T00:01:00Z")).await;
    app.clock.set(at("2026-11-21T00:01:00Z"));
    watch(&app, "ada", None).await;
    watch(&app, "ada", Some("2026-11-20T23:58:00Z")).await;
    watch(&app, "bob", Some("2026-11-20T23:58:00Z")).await;
    app.clock.set(at("2026-11-22T00:01:00Z"));
    watch(&app, "ada", Some("2026-11-20T23:57:00Z")).await;
    watch(&app, "ada", Some("2026-11-21T23:59:00Z")).await;
    watch(&app, "ada", None).await;
    app.fold().await;

    let client = raw(&app.database).await;
    assert_eq!(
        epochs(&client).await,
        ["2026-11-20..2026-11-20 daily", "2026-11-21..2026-11-21 daily", "2026-11-22..2026-11-22 daily"]
    );
    for (from, to, expected, scope) in [
        ("2026-11-20", "2026-11-20", 2, "viewers"),
        ("2026-11-21", "2026-11-21", 1, "viewers"),
        ("2026-11-22", "2026-11-22", 1, "viewers"),
        ("2026-11-20", "2026-11-22", 4, "viewer-days"),
    ] {
        assert_eq!(viewers(&app, from, to).await, (expected, scope.into()), "{from} to {to}");
    }
}

#[tokio::test]
async fn a_changed_setting_counts_from_the_next_day_on() {
    let database = database().await;
    let steps = [
        ("2026-11-16T10:00:00Z", SaltSource::Made(Daily)),
        ("2026-11-17T10:00:00Z", SaltSource::Made(Weekly)),
        ("2026-11-18T10:00:00Z", SaltSource::Made(Never)),
        ("2026-11-19T10:00:00Z", SaltSource::Made(Never)),
        ("2026-11-20T10:00:00Z", SaltSource::Made(Daily)),
        ("2026-11-21T10:00:00Z", SaltSource::Made(Daily)),
        ("2026-11-22T10:00:00Z", SaltSource::Made(Never)),
        ("2026-11-23T10:00:00Z", given("pepper")),
        ("2026-11-24T10:00:00Z", given("pepper")),
        ("2026-11-25T10:00:00Z", given("pepper")),
    ];
    let mut last = None;
    for (now, source) in steps {
        let app = process(&database, source, now).await;
        watch(&app, "ada", None).await;
        // Yesterday stays what it was.
        let yesterday = (at(now) - TimeDelta::days(1)).to_rfc3339();
        if !now.starts_with("2026-11-16") {
            watch(&app, "ada", Some(&yesterday)).await;
        }
        last = Some(app);
    }
    let app = last.expect("the last process");
    app.fold().await;
    assert_eq!(
        epochs(&raw(&database).await).await,
        [
            "2026-11-16..2026-11-16 daily",
            "2026-11-17..2026-11-18 weekly",
            "2026-11-19..2026-11-20 never",
            "2026-11-21..2026-11-21 daily",
            "2026-11-22..2026-11-23 never",
            "2026-11-24..9999-12-31 never+",
        ]
    );
    for (from, to, expected, scope) in [
        ("2026-11-16", "2026-11-16", 1, "viewers"),
        ("2026-11-17", "2026-11-18", 1, "viewers"),
        ("2026-11-16", "2026-11-18", 2, "viewer-epochs"),
        ("2026-11-19", "2026-11-20", 1, "viewers"),
        ("2026-11-21", "2026-11-21", 1, "viewers"),
        ("2026-11-22", "2026-11-23", 1, "viewers"),
        ("2026-11-24", "2026-11-25", 1, "viewers"),
        // Several epochs that never end are several all the same.
        ("2026-11-23", "2026-11-25", 2, "viewer-epochs"),
        ("2026-11-16", "2026-11-25", 6, "viewer-epochs"),
    ] {
        assert_eq!(viewers(&app, from, to).await, (expected, scope.into()), "{from} to {to}");
    }
}

#[tokio::test]
async fn a_given_salt_is_held_to_its_epoch() {
    let database = database().await;
    let (pepper, _) = salts(&database, given("pepper"), "2026-11-20T10:00:00Z").await;
    pepper.check().await.expect("opened");
    let client = raw(&database).await;
    let open = ["0001-01-01..9999-12-31 never+"];

    // Another value is a mistake: it is refused and changes nothing.
    let (other, _) = salts(&database, given("paprika"), "2026-11-20T10:00:00Z").await;
    let error = other.check().await.expect_err("refused").to_string();
    assert!(error.contains("2026-11-20") && error.contains("HEATSTRIP_VIEWER_SALT"), "{error}");
    assert!(!error.contains('\n') && !error.contains("paprika"), "{error}");
    assert_eq!(epochs(&client).await, open);
    pepper.check().await.expect("still good");

    // No value is a changed setting, which counts from the next day on.
    let (made, clock) = salts(&database, SaltSource::Made(Daily), "2026-11-20T10:00:00Z").await;
    let error = made.check().await.expect_err("refused").to_string();
    assert!(error.contains("2026-11-20") && !error.contains('\n'), "{error}");
    assert_eq!(epochs(&client).await, ["0001-01-01..2026-11-20 never+"]);
    clock.set(at("2026-11-21T00:00:00Z"));
    made.check().await.expect("a new day");
    assert_eq!(epochs(&client).await, ["0001-01-01..2026-11-20 never+", "2026-11-21..2026-11-21 daily"]);
    let error = made.salt(day("2026-11-20")).await.expect_err("not its own");
    assert!(matches!(error, SaltError::OtherSalt { .. }), "{error}");
}

#[tokio::test]
async fn a_running_process_without_the_given_salt_asks_to_come_back() {
    let database = database().await;
    let app = process(&database, SaltSource::Made(Daily), "2026-11-20T23:59:00Z").await;
    watch(&app, "ada", None).await;
    let (pepper, _) = salts(&database, given("pepper"), "2026-11-21T00:00:01Z").await;
    pepper.check().await.expect("opens the new day first");
    app.clock.set(at("2026-11-21T00:00:02Z"));
    let beat = |at: Option<&str>| {
        json!({"video_id": "v", "start_sec": 0, "end_sec": 4, "viewer_id": "ada", "at": at}).to_string()
    };
    let answer = app.post(beat(None)).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    watch(&app, "ada", Some("2026-11-20T23:59:30Z")).await;

    // The next day is ours, and a heartbeat that comes late for the day of the other costs no other heartbeat.
    app.clock.set(at("2026-11-22T00:00:02Z"));
    let both = format!("[{}, {}]", beat(Some("2026-11-21T23:59:00Z")), beat(None));
    let answer = app.post(both).await;
    assert_eq!(answer.status(), 202);
    let answer: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(
        answer,
        json!({"accepted": 1, "rejected": [{"index": 0, "field": "at", "reason": "too_old"}]})
    );
}

/// Four processes of different settings, clocks and turns do to the epochs whatever they do, and a day has one salt.
#[tokio::test]
async fn no_day_is_ever_reinterpreted() {
    let database = database().await;
    let mut processes = Vec::new();
    for (source, ahead_secs) in [
        (SaltSource::Made(Daily), 0),
        (SaltSource::Made(Weekly), 90),
        (SaltSource::Made(Monthly), -90),
        (SaltSource::Made(Never), 30),
    ] {
        let (salts, clock) = salts(&database, source, "2026-01-01T00:00:00Z").await;
        processes.push((salts, clock, TimeDelta::seconds(ahead_secs)));
    }
    let mut salt_of: HashMap<NaiveDate, Salt> = HashMap::new();
    let first = at("2026-01-01T00:00:00Z");
    for night in 0..25_usize {
        for (turn, seconds) in [-100, -60, -20, 20, 60, 100, 12 * 3600].into_iter().enumerate() {
            let now = first + TimeDelta::days(night as i64) + TimeDelta::seconds(seconds);
            let asked = processes.iter().enumerate().map(|(place, (salts, clock, ahead))| {
                clock.set(now + *ahead);
                // Some processes have no traffic now and then, and some heartbeats are late.
                let late = TimeDelta::days(((night + turn + place) % 5 == 0).into());
                let day = clock.today() - late;
                let asks = (night * 7 + turn + place) % 3 != 0;
                async move {
                    match asks {
                        true => Some((day, salts.salt(day).await.expect("a salt"))),
                        false => None,
                    }
                }
            });
            for (day, salt) in futures_util::future::join_all(asked).await.into_iter().flatten() {
                assert_eq!(salt_of.entry(day).or_insert(salt.clone()), &salt, "{day} at {now}");
            }
        }
    }
    // This process has seen nothing of all that.
    let (fresh, _) = salts(&database, SaltSource::Made(Daily), "2026-01-26T00:00:00Z").await;
    let client = raw(&database).await;
    client
        .batch_execute("UPDATE salt_epochs SET made_at = '2026-01-26'")
        .await
        .expect("kept a little longer");
    assert!(salt_of.len() >= 25);
    for (day, salt) in &salt_of {
        assert_eq!(&fresh.salt(*day).await.expect("a salt"), salt, "{day}");
    }
}

#[tokio::test]
async fn a_cut_keeps_the_day_of_a_clock_that_is_ahead() {
    let database = database().await;
    let (ahead, _) = salts(&database, SaltSource::Made(Never), "2026-11-21T00:00:30Z").await;
    let kept = ahead.salt(day("2026-11-21")).await.expect("a salt");
    let (behind, clock) = salts(&database, SaltSource::Made(Daily), "2026-11-20T23:59:59Z").await;
    behind.check().await.expect("today's");
    let client = raw(&database).await;
    assert_eq!(epochs(&client).await, ["0001-01-01..2026-11-21 never"]);
    clock.set(at("2026-11-21T00:00:00Z"));
    assert_eq!(behind.salt(day("2026-11-21")).await.expect("a salt"), kept);
    clock.set(at("2026-11-22T00:00:00Z"));
    assert_ne!(behind.salt(day("2026-11-22")).await.expect("a salt"), kept);
}

#[tokio::test]
async fn an_older_schema_learns_how_far_its_salts_were_used() {
    let app = App::start(Settings::default()).await;
    watch(&app, "ada", None).await;
    watch(&app, "ada", Some("2026-11-20T23:00:00Z")).await;
    app.fold().await;
    let client = raw(&app.database).await;
    client
        .batch_execute("ALTER TABLE salt_epochs DROP COLUMN used_through; DELETE FROM salt_epochs")
        .await
        .expect("as it was");
    for (first_day, last_day) in
        [("2026-11-09", "2026-11-15"), ("2026-11-16", "2026-11-20"), ("2026-11-21", "2026-11-22")]
    {
        client
            .execute(
                "INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at)
                 VALUES ($1, $2, 'weekly', 'salt', '2026-11-16')",
                &[&day(first_day), &day(last_day)],
            )
            .await
            .expect("an epoch");
    }
    client
        .batch_execute(include_str!("../../../sql/migrations/0003_salt_epochs.sql"))
        .await
        .expect("the migration");
    let used: Vec<Option<NaiveDate>> = client
        .query("SELECT used_through FROM salt_epochs ORDER BY first_day", &[])
        .await
        .expect("epochs")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(used, [None, Some(day("2026-11-20")), Some(day("2026-11-21"))]);
}

#[tokio::test]
async fn a_visitor_ends_no_epoch() {
    let database = database().await;
    let sql = raw(&database).await;
    let (serving, _) = salts(&database, SaltSource::Made(Weekly), "2026-11-18T10:00:00Z").await;
    let salt = serving.salt(day("2026-11-18")).await.expect("a salt");
    let store = Store::connect(&database.url, 4).await.expect("a migrated database");
    let clock = Clock::by_hand(at("2026-11-18T11:00:00Z"));
    for other in [SaltSource::Made(Daily), given("pepper")] {
        let visitor = Salts::of_a_visitor(store.clone(), other, clock.clone());
        assert_eq!(visitor.salt(day("2026-11-18")).await.expect("the epoch's"), salt);
    }
    assert_eq!(epochs(&sql).await, ["2026-11-16..2026-11-22 weekly"]);
}
