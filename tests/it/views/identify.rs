//! Device to user: merges, what is queued, chains, races, kiosks, and processes that die on the way.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use heatstrip::{
    events::{lane::lane, part::Part},
    viewers::epoch::Rotation,
    views::{archive, identify::IdentifyError},
    work::worker,
};
use rand::{RngExt, seq::SliceRandom};
use serde_json::{Value, json};

use super::{Engine, at, numbers, post, sent, view, views};
use crate::support::{App, Process, Settings, chance, heatstrip as program, until};

const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_a_device_viewed_is_its_users() {
    let app = App::start(Settings::default()).await;
    let one = |video: &str, viewer: &str| json!({"video_id": video, "viewer_id": viewer});
    view(&app, json!([one("v", "phone"), one("v", "ann"), one("w", "phone"), one("x", "ann")])).await;
    assert_eq!(numbers(&app, "v").await, (2, 2, 2));
    let bind = json!({"device_id": "phone", "user_id": "ann"});
    assert_eq!(post(&app, "/v1/identify", &bind).await, (200, json!({"merged": 2})));
    assert_eq!((numbers(&app, "v").await, numbers(&app, "w").await), ((2, 1, 1), (1, 1, 1)));
    assert_eq!(views(&app, "v").await["viewers"]["exact"], false, "its sketches still hold both");
    assert_eq!(views(&app, "x").await["viewers"]["exact"], true);
    // Bound for good: both are one person from now on, inside the window too.
    app.clock.set(at("2026-11-21T10:29:00Z"));
    view(&app, json!([one("w", "ann"), one("w", "phone"), one("y", "phone"), one("y", "ann")])).await;
    assert_eq!((numbers(&app, "w").await, numbers(&app, "y").await), ((1, 1, 1), (1, 1, 1)));
    assert_eq!(
        post(&app, "/v1/identify", &bind).await,
        (200, json!({"merged": 0})),
        "once more, nothing is left"
    );
    assert_eq!(super::views(&app, "y").await["viewers"]["exact"], true);
}

/// Views that were sent before the binding and are still queued are the user's when they are folded.
#[tokio::test]
async fn what_is_queued_follows_the_binding() {
    let app = App::start(Settings::default()).await;
    let one = |viewer: &str| json!({"video_id": "v", "viewer_id": viewer});
    post(&app, "/v1/views", &json!([one("phone"), one("ann")])).await;
    let bind = json!({"device_id": "phone", "user_id": "ann"});
    assert_eq!(post(&app, "/v1/identify", &bind).await, (200, json!({"merged": 0})));
    app.fold().await;
    assert_eq!(numbers(&app, "v").await, (1, 1, 1));
}

#[tokio::test]
async fn nonsense_is_refused() {
    let app = App::start(Settings::default()).await;
    let bind = |device: &str, user: &str| json!({"device_id": device, "user_id": user});
    for (body, field, reason) in [
        (bind("", "ann"), "device_id", "empty"),
        (bind("phone", "undefined"), "user_id", "reserved"),
        (bind("NULL", "ann"), "device_id", "reserved"),
        (bind(" anonymous", "ann"), "device_id", "reserved"),
        (bind("0", "ann"), "device_id", "reserved"),
        (bind("ann", "ann"), "user_id", "reserved"),
        (json!({"device_id": "phone"}), "user_id", "missing"),
        (
            json!({"device_id": "phone", "user_id": "ann", "namespace": "a\u{0}"}),
            "namespace",
            "control_character",
        ),
    ] {
        let (status, answer) = post(&app, "/v1/identify", &body).await;
        let rejected = json!([{"index": 0, "field": field, "reason": reason}]);
        assert_eq!((status, &answer["rejected"]), (422, &rejected), "{body}");
    }
    for body in [json!([bind("a", "b"), bind("c", "d")]), json!([]), json!("phone")] {
        assert_eq!(post(&app, "/v1/identify", &body).await.0, 400, "{body}");
    }
    assert_eq!(post(&app, "/v1/identify", &bind("phone", "ann")).await.0, 200);
    let (status, answer) = post(&app, "/v1/identify", &bind("tablet", "phone")).await;
    assert_eq!(
        (status, &answer["detail"]),
        (422, &json!("user_id is itself a device that is bound to a user"))
    );
    // No circle: ann's device is ann's.
    assert_eq!(post(&app, "/v1/identify", &bind("ann", "phone")).await.0, 422);
    let bindings = app.database.connect().await.query_one("SELECT count(*) FROM view_bindings", &[]).await;
    assert_eq!(bindings.expect("a count").get::<_, i64>(0), 1);
}

/// A user may become somebody else's device, and a device bound anew follows the newest user.
#[tokio::test]
async fn chains_are_followed_and_the_newest_user_wins() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    let instant = at("2026-11-21T09:00:00Z");
    let people = ["phone", "guest", "ann", "tablet"];
    engine.send(&people.map(|viewer| sent("v", viewer, instant))).await;
    engine.fold().await;
    assert_eq!(engine.identify("phone", "guest").await.expect("bound"), 1);
    assert_eq!(engine.identify("tablet", "guest").await.expect("bound"), 1);
    assert_eq!(engine.identify("guest", "ann").await.expect("bound"), 1);
    assert_eq!(engine.count("SELECT recent_viewers FROM view_totals").await, 1);
    assert_eq!(engine.count("SELECT views FROM recent_views").await, 4);
    engine.send(&people.map(|viewer| sent("w", viewer, instant))).await;
    engine.fold().await;
    assert_eq!(engine.count("SELECT views FROM view_totals WHERE video_id = 'w'").await, 1);
    engine.identify("phone", "bob").await.expect("bound anew");
    engine.send(&["phone", "bob", "tablet"].map(|viewer| sent("x", viewer, instant))).await;
    engine.fold().await;
    assert_eq!(engine.count("SELECT views FROM view_totals WHERE video_id = 'x'").await, 2);
    assert_eq!(engine.drift().await, 0);
}

/// Bindings of every kind at once, with folds, archives and what is queued: in the end nobody counts twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn identifications_race_with_folds_and_each_other() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    let mut rng = chance();
    let (people, devices) = (12, 3);
    let videos: Vec<String> = (0..40).map(|n| format!("video {n}")).collect();
    for _round in 0..3 {
        let mut batches: Vec<Vec<Value>> = Vec::new();
        for _ in 0..24 {
            let one = |_| {
                let (person, device) = (rng.random_range(0..people), rng.random_range(0..=devices));
                let viewer = format!("person {person} device {device}");
                let instant = engine.clock.now() - TimeDelta::minutes(rng.random_range(0..2_000));
                sent(&videos[rng.random_range(0..videos.len())], &viewer, instant)
            };
            batches.push((0..200).map(one).collect());
        }
        // Each device of a person is bound to the one before, in any order: chains that grow from both ends.
        let mut bindings: Vec<(String, String)> = (0..people)
            .flat_map(|person| {
                (1..=devices).map(move |device| {
                    let name = |device: u32| format!("person {person} device {device}");
                    (name(device), name(device - 1))
                })
            })
            .collect();
        bindings.shuffle(&mut rng);
        let sending = async {
            for batch in &batches {
                engine.send(batch).await;
            }
        };
        let folding = async {
            for _ in 0..60 {
                worker::step(&engine.store, &engine.clock, Duration::ZERO).await.expect("a step");
            }
        };
        let binding = async |part: &[(String, String)]| {
            for (device, user) in part {
                match engine.identify(device, user).await {
                    // Refused where the user was bound first: asked again with that one's user it would be taken.
                    Ok(_) | Err(IdentifyError::UserIsDevice) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let (first, second) = bindings.split_at(bindings.len() / 2);
        tokio::join!(sending, folding, binding(first), binding(second));
    }
    // Whoever was refused is bound to the first of all, whom nobody binds.
    for person in 0..people {
        for device in 1..=devices {
            let (of, first) =
                (format!("person {person} device {device}"), format!("person {person} device 0"));
            engine.identify(&of, &first).await.expect("bound");
        }
    }
    engine.fold().await;
    // Every row is a person's, and no person has two of them.
    let users: i64 = engine.count("SELECT count(DISTINCT viewer) FROM recent_views").await;
    assert_eq!(users, people as i64);
    let devices = "SELECT count(*) FROM recent_views AS r JOIN view_bindings AS b ON b.device = r.viewer";
    assert_eq!(engine.count(devices).await, 0, "no row of a bound device is left");
    assert_eq!(engine.count("SELECT count(*) FROM view_bindings WHERE NOT merged").await, 0);
    assert_eq!(engine.drift().await, 0);
}

/// All that a kiosk has viewed becomes its user's, and whoever views meanwhile waits for no more than a piece.
#[tokio::test(flavor = "multi_thread")]
async fn a_kiosk_of_100_000_rows_holds_up_nobody() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    engine.send(&[sent("video 1", "kiosk", at("2026-11-21T09:00:00Z"))]).await;
    engine.fold().await;
    engine
        .sql
        .batch_execute(
            "INSERT INTO recent_views SELECT viewer, 1, first_at, last_at, first_counted_at, last_counted_at, epoch, last_day,
                 'video ' || n, region FROM recent_views, generate_series(2, 100000) AS n;
             INSERT INTO view_totals (video_id, recent_viewers, views, dropped_views)
                 SELECT 'video ' || n, 1, 1, 1 FROM generate_series(2, 100000) AS n;
             ANALYZE recent_views, view_totals",
        )
        .await
        .expect("a kiosk");
    let started = Instant::now();
    let identifying = async {
        let merged = engine.identify("kiosk", "ann").await.expect("bound");
        (merged, started.elapsed())
    };
    // Somebody views these videos all the while.
    let viewing = async {
        let (mut longest, mut folds, mut rng) = (Duration::ZERO, 0, chance());
        while engine.count("SELECT count(*) FROM view_bindings WHERE merged").await == 0 {
            let n = rng.random_range(1..=100_000);
            engine.send(&[sent(&format!("video {n}"), &format!("viewer {folds}"), engine.clock.now())]).await;
            let began = Instant::now();
            engine.fold().await;
            longest = longest.max(began.elapsed());
            folds += 1;
        }
        (longest, folds)
    };
    let ((merged, took), (longest, folds)) = tokio::join!(identifying, viewing);
    println!("merged in {took:?}; {folds} folds meanwhile, the longest {longest:?}");
    assert_eq!(merged, 100_000);
    assert!(folds >= 10, "{folds} folds show nothing");
    assert!(longest < took / 4, "a fold waited {longest:?} of {took:?}");
    let heirs =
        "SELECT count(*) FROM recent_views WHERE viewer = (SELECT DISTINCT viewer FROM view_bindings)";
    assert_eq!(engine.count(heirs).await, 100_000);
}

/// The process dies at every line of an identification; the binding holds from its commit on, and the night goes on with the rest.
#[tokio::test(flavor = "multi_thread")]
async fn an_identification_may_die_at_any_line() {
    for (point, merged) in [
        ("identify::bound=return", 0),
        ("identify::piece=return", 0),
        ("identify::amid_piece=return", 0),
        ("identify::piece=1*off->return", 500),
    ] {
        let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Never).await;
        let of = |viewer: &str| {
            (0..600)
                .map(|n| sent(&format!("video {n}"), viewer, at("2026-11-21T09:00:00Z")))
                .collect::<Vec<_>>()
        };
        engine.send(&of("phone")).await;
        engine.fold().await;
        let mut serve = program(&["serve", "--listen", "127.0.0.1:0", "--views-salt-rotation", "never"]);
        serve.env("DATABASE_URL", &engine.database.url).env("FAILPOINTS", point);
        let folder = tempfile::tempdir().expect("a folder");
        let mut api = Process::start(serve, &folder.path().join("api.log"));
        let url = until("it listens", DEADLINE, async || {
            api.log().lines().find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()))
        })
        .await;
        let client = heatstrip::import::replay::client();
        let asked =
            client.post(format!("{url}/v1/identify")).json(&json!({"device_id": "phone", "user_id": "ann"}));
        assert!(asked.send().await.is_err(), "{point}: it died before the answer");
        until("it is dead", DEADLINE, async || api.has_ended().then_some(())).await;
        let users = "SELECT count(*) FROM recent_views WHERE viewer = (SELECT viewer FROM view_bindings)";
        until("its transaction is undone", DEADLINE, async || {
            let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL
                        AND pid <> pg_backend_pid()";
            (engine.count(open).await == 0).then_some(())
        })
        .await;
        assert_eq!(engine.count(users).await, merged, "{point}");
        assert_eq!(engine.count("SELECT count(*) FROM recent_views").await, 600, "{point}");
        assert_eq!(engine.drift().await, 0, "{point}");
        // Folds know the binding from its commit on.
        engine.send(&of("ann")).await;
        engine.send(&of("phone")).await;
        engine.fold().await;
        let archived = archive::run(&engine.store, &engine.clock, 30).await.expect("an archive");
        assert_eq!(archived.merged as i64, 600 - merged, "{point}");
        assert_eq!(engine.count(users).await, 600, "{point}");
        assert_eq!(engine.count("SELECT sum(recent_viewers)::bigint FROM view_totals").await, 600, "{point}");
        assert_eq!(engine.drift().await, 0, "{point}");
        assert_eq!(engine.identify("phone", "ann").await.expect("asked again"), 0, "{point}");
    }
}

/// Whoever asks to be bound waits for the folds that are under way, not for those that come behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_fold_under_way_is_waited_for() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    engine.send(&[sent("v", "phone", at("2026-11-21T09:00:00Z"))]).await;
    // A fold that has read "no binding" and stands there: another session holds the row that it has to lock.
    engine
        .sql
        .batch_execute(
            "INSERT INTO view_totals (video_id) VALUES ('v'); BEGIN; SELECT FROM view_totals FOR UPDATE",
        )
        .await
        .expect("a lock");
    let looker = engine.database.connect().await;
    let waiting = async || {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        looker.query_one(query, &[]).await.expect("sessions").get::<_, i64>(0)
    };
    let free = async {
        until("the fold waits", DEADLINE, async || (waiting().await == 1).then_some(())).await;
        let bound = tokio::time::timeout(DEADLINE, async {
            until("the binding waits for the fold", DEADLINE, async || (waiting().await == 2).then_some(()))
                .await;
        });
        bound.await.expect("in time");
        engine.sql.batch_execute("COMMIT").await.expect("free");
    };
    let identifying = async {
        until("the fold waits", DEADLINE, async || (waiting().await >= 1).then_some(())).await;
        engine.identify("phone", "ann").await.expect("bound")
    };
    let ((), merged, folded) = tokio::join!(free, identifying, engine.fold());
    assert_eq!((merged, folded), (1, 1), "the row that the fold made was merged");
    let device = "SELECT count(*) FROM recent_views AS r JOIN view_bindings AS b ON b.device = r.viewer";
    assert_eq!(engine.count(device).await, 0);
    assert_eq!(engine.drift().await, 0);
}

/// A video that is forgotten while a piece makes its rows the user's: forgetting waits for the piece. Without that wait it
/// passes over the device's row, cannot see the user's yet, and leaves it behind.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_outlives_a_video_by_becoming_a_user() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    engine.send(&[sent("v", "phone", at("2026-11-21T09:00:00Z"))]).await;
    engine.fold().await;
    engine.sql.batch_execute("BEGIN; SELECT FROM view_totals FOR UPDATE").await.expect("a lock");
    let looker = engine.database.connect().await;
    let waiting = async || {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        looker.query_one(query, &[]).await.expect("sessions").get::<_, i64>(0)
    };
    let forgetting = async {
        until("the piece waits", DEADLINE, async || (waiting().await == 1).then_some(())).await;
        heatstrip::work::forget::forget(&engine.store, "v", lane("v", engine.store.lanes()), &Part::default())
            .await
    };
    let free = async {
        until("both wait", DEADLINE, async || (waiting().await == 2).then_some(())).await;
        engine.sql.batch_execute("COMMIT").await.expect("free");
    };
    let (merged, forgotten, ()) = tokio::join!(engine.identify("phone", "ann"), forgetting, free);
    assert_eq!(merged.expect("bound"), 1);
    forgotten.expect("forgotten");
    assert_eq!(engine.count("SELECT count(*) FROM recent_views").await, 0);
}

/// A user who is bound to another while a piece makes rows hers: the binding waits for the piece, and finds its rows. Without
/// that wait her rows would come into being behind the other's back, and nobody would ever look for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_piece_under_way_is_waited_for() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    engine.send(&[sent("v", "phone", at("2026-11-21T09:00:00Z"))]).await;
    engine.fold().await;
    // The piece has made the row the guest's and stands before the totals, which another session holds.
    engine.sql.batch_execute("BEGIN; SELECT FROM view_totals FOR UPDATE").await.expect("a lock");
    let looker = engine.database.connect().await;
    let waiting = async || {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        looker.query_one(query, &[]).await.expect("sessions").get::<_, i64>(0)
    };
    let first = engine.identify("phone", "guest");
    let second = async {
        until("the piece waits", DEADLINE, async || (waiting().await == 1).then_some(())).await;
        engine.identify("guest", "ann").await
    };
    let free = async {
        until("the binding waits for the piece", DEADLINE, async || (waiting().await == 2).then_some(()))
            .await;
        engine.sql.batch_execute("COMMIT").await.expect("free");
    };
    let (first, second, ()) = tokio::join!(first, second, free);
    assert_eq!((first.expect("bound"), second.expect("bound")), (1, 1), "the guest's row became ann's");
    let devices = "SELECT count(*) FROM recent_views AS r JOIN view_bindings AS b ON b.device = r.viewer";
    assert_eq!(engine.count(devices).await, 0);
    assert_eq!(engine.drift().await, 0);
}

/// Under a namespace both are other people than without.
#[tokio::test]
async fn a_namespace_keeps_ids_apart() {
    let app = App::start(Settings::default()).await;
    view(&app, json!({"video_id": "v", "viewer_id": "phone"})).await;
    let bind = json!({"device_id": "phone", "user_id": "ann", "namespace": "shop"});
    assert_eq!(post(&app, "/v1/identify", &bind).await, (200, json!({"merged": 0})));
    view(&app, json!({"video_id": "v", "viewer_id": "ann"})).await;
    assert_eq!(numbers(&app, "v").await, (2, 2, 2));
}
