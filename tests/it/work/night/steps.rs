//! A step that fails keeps no other from its work, and a night waits for Postgres.

use std::time::Duration;

use heatstrip::{
    clock::Clock,
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres},
        migrate::migrate,
    },
    viewers::{
        epoch::Rotation,
        salt::{SaltSource, Salts},
    },
    work::nightly::{Keep, Night, Step},
};
use tokio_postgres::Client;

use super::{at, day, night};
use crate::support::{App, Settings};

async fn row(sql: &Client, step: &str) -> (bool, Option<String>) {
    let query = "SELECT succeeded_at IS NOT NULL, failure FROM nights WHERE step = $1";
    let row = sql.query_one(query, &[&step]).await.expect("the step was tried");
    (row.get(0), row.get(1))
}

/// Each step is broken in turn, by taking a table away that it alone needs.
#[tokio::test]
async fn a_step_that_fails_keeps_no_other_from_its_work() {
    let keep = Keep { days: Some(30), fine_days: Some(10), recent_days: None, sample_days: None };
    for (step, table) in [
        (Step::Counters, "counter_pack_queue"),
        (Step::Compaction, "video_heatmap_second_shards"),
        (Step::Retention, "heartbeat_queue_failed"),
        (Step::BatchIds, "batch_id_rings"),
    ] {
        let app = App::start(Settings { dedup_window_secs: 0, ..Settings::default() }).await;
        let beat = r#"{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"a"}"#;
        assert_eq!(app.post(beat).await.status(), 202);
        app.fold().await;
        app.clock.set(at("2026-11-27T03:30:00Z"));
        let sql = app.database.connect().await;
        sql.batch_execute(&format!("ALTER TABLE {table} RENAME TO away")).await.expect("it is away");
        let failed = night(&app.store, &app.clock, keep).await.expect_err("a step fails");
        let steps: Vec<Step> = failed.failures.iter().map(|(step, _)| *step).collect();
        // The partitions of rows of seconds are looked at where partitions are dropped too.
        let also = if step == Step::Compaction { vec![Step::Retention] } else { vec![] };
        assert_eq!(steps, [vec![step], also.clone()].concat(), "without {table}: {failed}");
        assert!(!failed.to_string().contains('\n'), "{failed}");
        assert_eq!(failed.summary.destroyed_salts, 1, "without {table}");
        assert_eq!(failed.summary.compacted.rows > 0, step != Step::Compaction, "without {table}");
        for other in Step::ALL {
            let (succeeded, failure) = row(&sql, other.name()).await;
            let fails = other == step || also.contains(&other);
            assert_eq!((succeeded, failure.is_some()), (!fails, fails), "{other} without {table}");
        }
        // Nothing is lost by it: the next night goes on with the rest.
        sql.batch_execute(&format!("ALTER TABLE away RENAME TO {table}")).await.expect("it is back");
        night(&app.store, &app.clock, keep).await.expect("a whole night");
        assert_eq!(row(&sql, step.name()).await, (true, None));
    }
}

/// The server is gone when the night begins, and comes back while it waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_waits_for_postgres() {
    let data_dir = std::env::temp_dir().join(format!("heatstrip-it-night-{}", uuid::Uuid::new_v4().simple()));
    let mut postgres = LocalPostgres::start(&data_dir, Lifetime::Process).await.expect("a Postgres");
    postgres.create_database("night", None).await.expect("a database");
    let url = postgres.url("night");
    migrate(&url, 4).await.expect("a schema");
    let store = Store::connect(&url, 4).await.expect("a store");
    let clock = Clock::by_hand(at("2026-11-21T03:30:00Z"));
    let salts = Salts::new(store.clone(), SaltSource::Made(Rotation::Daily), clock.clone());
    salts.check().await.expect("a salt");
    clock.set(at("2026-11-24T03:30:00Z"));

    postgres.stop_immediately().await.expect("it stops");
    let impatient = Night::new(&store, &clock).patience(Duration::ZERO);
    let failed =
        impatient.run(day("2026-11-23"), Keep::default(), |_| ()).await.expect_err("nobody is there");
    assert_eq!(failed.failures.len(), Step::ALL.len(), "without patience every step fails: {failed}");

    let waiting = {
        let (store, clock) = (store.clone(), clock.clone());
        tokio::spawn(async move {
            let night = Night::new(&store, &clock).patience(Duration::from_secs(60));
            night.run(day("2026-11-23"), Keep::default(), |_| ()).await
        })
    };
    postgres.restart().await.expect("it is back");
    let summary = waiting.await.expect("no panic").expect("a whole night");
    assert_eq!(summary.destroyed_salts, 1);
    postgres.stop().await.expect("the server stops");
}

/// Salts are promised to go within the hour, also when nobody ran a night, or a try was cut short.
#[tokio::test]
async fn the_promise_is_kept_between_nights() {
    let app = App::start(Settings { now: at("2026-11-21T10:00:00Z"), ..Settings::default() }).await;
    let beat = r#"{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"a"}"#;
    assert_eq!(app.post(beat).await.status(), 202);
    let promise = async || Night::new(&app.store, &app.clock).keep_promise().await.expect("a look");
    app.clock.set(at("2026-11-23T23:59:59Z"));
    assert_eq!(promise().await, 0, "not a second sooner");
    app.clock.set(at("2026-11-24T00:00:00Z"));
    assert_eq!(promise().await, 1);
    let sql = app.database.connect().await;
    assert_eq!(row(&sql, "salts").await, (true, None));

    // Somebody's snapshot kept the former row in the file: the next look goes on, though no salt is due.
    app.store.write_night("salts", app.clock.now(), Some("a long transaction")).await.expect("a note");
    assert_eq!(promise().await, 0);
    assert_eq!(row(&sql, "salts").await, (true, None));
}
