//! What goes and what stays: the days of the sample, a sample that is turned off, videos that are forgotten.

use heatstrip::{
    events::{lane::lane, part::Part},
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
