//! What goes and what stays: the days of the sample, a sample that is turned off, videos that are forgotten.

use std::time::Duration;

use chrono::TimeDelta;
use heatstrip::{
    audience::nightly::run as night_of_the_sample,
    catalogue::durations::Durations,
    events::{lane::lane, part::Part},
    import::replay::{Chunk, Destination, Summary},
    viewers::{
        epoch::Rotation,
        salt::{SaltSource, Salts},
    },
    work::{
        forget::forget,
        nightly::{self, Keep},
    },
};
use serde_json::json;
use tokio_postgres::Client;

use super::{
    Said, day,
    expected::{Oracle, rows},
    watch,
};
use crate::support::{App, Settings};

fn said(on: &str, viewer: u32) -> Said {
    Said { video: "a", region: "JP", day: day(on), start_sec: 0, end_sec: 9, viewer }
}

async fn night(app: &App, sample_days: Option<u32>) -> nightly::Summary {
    let yesterday = app.clock.today().pred_opt().expect("a day");
    let keep = Keep { sample_days, ..Keep::default() };
    nightly::run(&app.store, &app.clock, yesterday, keep, |_| ()).await.expect("a night")
}

async fn count(sql: &Client, what: &str) -> i64 {
    sql.query_one(&format!("SELECT count(*) FROM {what}"), &[]).await.expect("a count").get(0)
}

#[tokio::test]
async fn a_night_seals_thins_and_drops() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    app.store.set_sample_size(10).await.expect("a size");
    let mut all: Vec<Said> = (0..18).map(|viewer| said("2026-11-20", viewer)).collect();
    all.extend((0..18).map(|viewer| said("2026-11-21", viewer)));
    watch(&app, &all).await;
    let done = night(&app, Some(28)).await.audience;
    assert_eq!((done.sealed, done.dropped_days), (1, 0));
    let after = rows(&sql).await;
    let closed = &after[&("a".to_owned(), day("2026-11-20"))];
    assert_eq!((closed.watched.len(), closed.open_bytes), (10, 0), "thinned to its size");
    let open = &after[&("a".to_owned(), day("2026-11-21"))];
    assert!(open.watched.len() == 18 && open.open_bytes > 0, "not twice its size yet, and its day is open");
    Oracle::of(&sql, &all).await.assert_rows(&after, day("0001-01-01"), 10);
    assert_eq!(night(&app, Some(28)).await.audience, Default::default(), "nothing is left to do");

    // Two days later the first is over, and its partition is gone.
    app.clock.set("2026-11-22T10:00:00Z".parse().expect("an instant"));
    assert_eq!(night(&app, Some(1)).await.audience.dropped_days, 1);
    assert_eq!(count(&sql, "pg_class WHERE relname = 'sampled_watches_20261120'").await, 0);
    watch(&app, &[said("2026-11-20", 99)]).await;
    assert_eq!(
        count(&sql, "sampled_watches WHERE captured_on = '2026-11-20'").await,
        0,
        "late, and not sampled"
    );
    let refused = app.get("/v1/videos/a/audience?from=2026-11-20").await;
    assert_eq!(refused.status(), 422);
    // A longer stay asked for later brings nothing back, and does not pretend to.
    night(&app, Some(28)).await;
    assert_eq!(app.get("/v1/videos/a/audience?from=2026-11-20").await.status(), 422);
}

#[tokio::test]
async fn the_sample_is_kept_no_longer_than_everything_else() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    watch(&app, &[said("2026-11-20", 1), said("2026-11-21", 1)]).await;
    let keep = Keep { days: Some(1), sample_days: Some(28), ..Keep::default() };
    app.clock.set("2026-11-22T10:00:00Z".parse().expect("an instant"));
    nightly::run(&app.store, &app.clock, day("2026-11-21"), keep, |_| ()).await.expect("a night");
    assert_eq!(count(&sql, "sampled_watches WHERE captured_on < '2026-11-21'").await, 0);
    assert_eq!(count(&sql, "sampled_watches").await, 1);
}

/// Nobody may take an answer for whole that misses what was folded while the sample was off.
#[tokio::test]
async fn a_sample_that_was_off_says_since_when_it_is_on() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    watch(&app, &[said("2026-11-20", 1), said("2026-11-21", 1)]).await;
    app.store.set_sample_size(0).await.expect("off");
    watch(&app, &[said("2026-11-21", 2)]).await;
    assert_eq!(app.store.sample_settings().await.expect("settings").kept_from, day("2026-11-22"));
    app.store.set_sample_size(100).await.expect("on");
    watch(&app, &[said("2026-11-21", 3)]).await;
    let answer = app.json("/v1/videos/a/audience").await;
    assert_eq!((&answer["viewers"], &answer["from"]), (&json!(0), &json!("2026-11-22")));
    assert_eq!(app.get("/v1/videos/a/audience?to=2026-11-21").await.status(), 422);
    app.clock.set("2026-11-22T10:00:00Z".parse().expect("an instant"));
    watch(&app, &[said("2026-11-22", 1), said("2026-11-21", 4)]).await;
    let answer = app.json("/v1/videos/a/audience").await;
    assert_eq!(
        (&answer["viewers"], &answer["from"], &answer["exact"]),
        (&json!(1), &json!("2026-11-22"), &json!(true))
    );
    assert_eq!(night(&app, Some(28)).await.audience.dropped_days, 2);
    assert_eq!(count(&sql, "sampled_watches").await, 1);
}

#[tokio::test]
async fn what_is_forgotten_is_in_no_sample() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    let other = Said { video: "b", ..said("2026-11-21", 1) };
    watch(&app, &[said("2026-11-20", 1), said("2026-11-21", 1), other]).await;
    let lane = lane("a", app.store.lanes());
    let gone =
        forget(&app.store, "a", lane, &Part::of_day(Some(day("2026-11-20")))).await.expect("forgotten");
    assert_eq!(gone.samples, 1);
    assert_eq!(app.json("/v1/videos/a/audience").await["from"], "2026-11-21");
    forget(&app.store, "a", lane, &Part::default()).await.expect("forgotten");
    assert_eq!(count(&sql, "sampled_watches WHERE video_id = 'a'").await, 0);
    assert_eq!(count(&sql, "sampled_watches WHERE video_id = 'b'").await, 1);
}

/// A replay straight into the queue, which takes heartbeats of any day.
async fn replay(app: &App, on: &str, viewer: u32) {
    let salts = Salts::new(app.store.clone(), SaltSource::Made(Rotation::Daily), app.clock.clone());
    let destination = Destination::Queue {
        queue: app.store.clone().into(),
        salts,
        durations: Durations::new(app.store.clone()),
        clock: app.clock.clone(),
    };
    let chunk = Chunk { id: None, first_index: 0, elements: vec![said(on, viewer).json().to_string()] };
    let mut summary = Summary::default();
    let region = "ZZ".parse().expect("a region");
    destination.deliver(&chunk, &region, None, &mut summary).await.expect("delivered");
    assert_eq!(summary.accepted, 1, "{summary:?}");
    app.fold().await;
}

/// A night looks at the days that something may have come to since, and at no other.
#[tokio::test]
async fn a_night_looks_at_what_is_new() {
    let app = App::start(Settings::default()).await;
    let (sql, holder) = (app.database.connect().await, app.database.connect().await);
    let sealed = async || {
        let night = night_of_the_sample(&app.store, &app.clock, None);
        let night = tokio::time::timeout(Duration::from_secs(60), night).await;
        night.expect("it waits for nobody").expect("a night").sealed
    };
    let next_day = || app.clock.set(app.clock.now() + TimeDelta::days(1));
    replay(&app, "2026-11-01", 1).await;
    watch(&app, &[said("2026-11-20", 1)]).await;
    assert_eq!(sealed().await, 2, "the first night looks at all days");
    next_day();
    assert_eq!(sealed().await, 0);
    // From here on whoever looks at the old day would wait.
    holder
        .batch_execute("BEGIN; LOCK TABLE ONLY sampled_watches_20261101 IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("an old day is held");
    watch(&app, &[said("2026-11-20", 2), said("2026-11-21", 1)]).await;
    next_day();
    assert_eq!(sealed().await, 2, "late heartbeats, within their 48 hours");
    holder.batch_execute("COMMIT").await.expect("it is free");

    // What a replay brings to days that the night is done with is looked at again, and once.
    for days in 1..3 {
        next_day();
        replay(&app, "2026-11-02", days).await;
        assert_eq!(count(&sql, "sample_notes").await, 1);
        assert_eq!((sealed().await, count(&sql, "sample_notes").await), (1, 0));
    }
}

/// A step that is under way during the night knows the former cursor, and appends behind the night's look.
#[tokio::test]
async fn a_step_that_a_night_overtakes_is_not_overlooked() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    watch(&app, &[said("2026-11-21", 1)]).await;
    let next_day = || app.clock.set(app.clock.now() + TimeDelta::days(1));
    let sealed = async || night_of_the_sample(&app.store, &app.clock, None).await.expect("a night").sealed;
    for expected in [1, 0] {
        next_day();
        assert_eq!(sealed().await, expected);
    }
    // On the 23rd a heartbeat of the 21st is late and on its way, and there is nothing to note yet.
    assert_eq!(app.store.sealing().await.expect("a cursor").noted_to, day("2026-11-21"));
    sql.batch_execute("BEGIN; UPDATE sampled_watches SET open = sealed").await.expect("a step appends");
    next_day();
    assert_eq!(sealed().await, 0, "nobody sees it yet");
    sql.batch_execute("COMMIT").await.expect("the step commits");
    next_day();
    assert_eq!(sealed().await, 1);
}
