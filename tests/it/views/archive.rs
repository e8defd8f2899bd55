//! The archive, at every line that it may die at; retention; forgetting; drift.

use chrono::TimeDelta;
use heatstrip::{
    events::part::Part,
    viewers::epoch::Rotation,
    views::archive,
    work::{
        forget::forget,
        nightly::{self, Keep},
    },
};
use serde_json::{Value, json};

use super::{Engine, at, day, numbers, sent, view, views};
use crate::support::{App, Settings, heatstrip};

/// Who has not come back leaves; the totals stay.
#[tokio::test]
async fn who_has_not_come_back_leaves_recent_viewers() {
    let app = App::start(Settings::default()).await;
    view(&app, json!([{"video_id": "v", "viewer_id": "ada"}, {"video_id": "v", "viewer_id": "bob"}])).await;
    app.clock.set(at("2026-12-01T10:00:00Z"));
    view(&app, json!([{"video_id": "v", "viewer_id": "cem"}, {"video_id": "w", "viewer_id": "ada"}])).await;
    app.clock.set(at("2026-12-22T01:00:00Z"));
    assert_eq!(archive::run(&app.store, &app.clock, 30).await.expect("an archive").viewers, 2);
    let answer = views(&app, "v").await;
    let expected = json!({"recent": 1, "recent_from": "2026-11-22", "recent_scope": "viewer-months",
        "lifetime": 3, "scope": "viewer-months", "exact": true, "relative_error": 0.0});
    assert_eq!((&answer["views"], &answer["viewers"]), (&json!(3), &expected));
    // A day later nobody is due, and who returns is new among the recent alone.
    assert_eq!(archive::run(&app.store, &app.clock, 30).await.expect("an archive").viewers, 0);
    app.clock.set(at("2026-12-31T10:00:00Z"));
    view(&app, json!({"video_id": "v", "viewer_id": "cem"})).await;
    assert_eq!(numbers(&app, "v").await, (4, 1, 3));
}

/// A piece is a transaction: an archive that dies after its rows were deleted, or between two pieces, has lost nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_may_die_at_any_line() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    // More than a piece, of several videos.
    let old: Vec<Value> = (0..2_500)
        .map(|n| {
            sent(
                ["a", "b", "c"][n % 3],
                &format!("viewer {n}"),
                at("2026-10-01T00:00:00Z") + TimeDelta::minutes(n as i64),
            )
        })
        .collect();
    for batch in old.chunks(1_000) {
        engine.send(batch).await;
    }
    engine.fold().await;
    let totals = "SELECT sum(recent_viewers)::bigint FROM view_totals";
    let archived = "SELECT sum(archived_viewers)::bigint FROM view_totals";
    for (point, done) in [("archive::amid_piece=return", 0), ("archive::piece=1*off->return", 1_000)] {
        let mut compact = heatstrip(&["compact"]);
        compact.env("DATABASE_URL", &engine.database.url).env("FAILPOINTS", point);
        assert!(!compact.output().await.expect("the binary").status.success(), "{point} was not passed");
        assert_eq!(engine.count("SELECT count(*) FROM recent_views").await, 2_500 - done, "{point}");
        assert_eq!(
            (engine.count(totals).await, engine.count(archived).await),
            (2_500 - done, done),
            "{point}"
        );
        assert_eq!(engine.drift().await, 0, "{point}");
    }
    let mut compact = heatstrip(&["compact"]);
    let output = compact.env("DATABASE_URL", &engine.database.url).output().await.expect("the binary");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("archived 1,500 recent viewers"), "{said}");
    assert_eq!((engine.count(totals).await, engine.count(archived).await), (0, 2_500));
    assert_eq!(engine.drift().await, 0);
}

/// Two archives and folds that bring the same people back, all at once.
#[tokio::test(flavor = "multi_thread")]
async fn archives_and_folds_race_without_drift() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    let viewers: Vec<String> = (0..1_500).map(|n| format!("viewer {n}")).collect();
    let of = |instant| viewers.iter().map(|viewer| sent("v", viewer, instant)).collect::<Vec<_>>();
    engine.send(&of(at("2026-11-01T10:00:00Z"))).await;
    engine.fold().await;
    engine.send(&of(at("2026-11-21T09:00:00Z"))[..700]).await;
    let archive = || archive::run(&engine.store, &engine.clock, 10);
    let (first, second, folded) = tokio::join!(archive(), archive(), engine.fold());
    let gone = first.expect("an archive").viewers + second.expect("an archive").viewers;
    assert_eq!(folded, 700);
    // Whoever was folded first stays, whoever was archived first came back.
    let (rows, returned) = (
        engine.count("SELECT count(*) FROM recent_views").await,
        engine.count("SELECT count(*) FROM recent_views WHERE views = 1 AND last_day = '2026-11-21'").await,
    );
    assert_eq!(rows, 700);
    assert_eq!(gone as i64, 800 + returned);
    assert_eq!(engine.count("SELECT views FROM view_totals").await, 2_200);
    assert_eq!(engine.drift().await, 0);
}

/// What is counted twice over is compared, told, and healed by the difference.
#[tokio::test]
async fn injected_drift_is_reported_and_healed() {
    let app = App::start(Settings::default()).await;
    view(&app, json!([{"video_id": "v", "viewer_id": "ada"}, {"video_id": "w", "viewer_id": "bob"}])).await;
    let sql = app.database.connect().await;
    sql.batch_execute(
        "UPDATE view_totals SET views = views + 5, lifetime_viewers = 9 WHERE video_id = 'v';
         UPDATE view_totals SET recent_viewers = 0, estimated_epochs = 1 WHERE video_id = 'w'",
    )
    .await
    .expect("drift");
    let run = async || {
        let mut reconcile = heatstrip(&["reconcile"]);
        let output = reconcile.env("DATABASE_URL", &app.database.url).output().await.expect("the binary");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (code, said) = run().await;
    assert_eq!(code, Some(1), "{said}");
    for line in [
        "views: compared 2, drifted 1",
        "recent_viewers: compared 2, drifted 1",
        "lifetime_viewers: compared 2, drifted 2",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert_eq!((numbers(&app, "v").await, numbers(&app, "w").await), ((1, 1, 1), (1, 1, 1)));
    heatstrip::work::reconcile::sample(&app.store).await.expect("a sample");
    let metrics = app.get("/metrics").await.text().await.expect("text");
    assert!(metrics.contains("heatstrip_drift{kind=\"lifetime_viewers\"} 2"), "{metrics}");
    let (code, said) = run().await;
    assert_eq!(code, Some(0), "{said}");
}

/// Days that are not kept leave, their months with them; totals and lifetime viewers stay.
#[tokio::test]
async fn days_that_are_not_kept_leave_the_ranges() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    for (viewer, at) in
        [("ada", "2026-09-30"), ("bob", "2026-10-10"), ("ada", "2026-10-25"), ("cem", "2026-11-20")]
    {
        engine.send(&[sent("v", viewer, super::at(&format!("{at}T10:00:00Z")))]).await;
    }
    engine.fold().await;
    let keep = Keep { days: Some(32), ..Keep::default() };
    let night =
        nightly::run(&engine.store, &engine.clock, day("2026-11-20"), keep, |_| ()).await.expect("a night");
    assert_eq!(night.views.deleted_rows, 4, "two days of two regions");
    let asked = heatstrip::views::store::ranges::RangeQuery {
        video_id: "v".into(),
        regions: vec!["GLOBAL".into()],
        from: None,
        to: None,
    };
    let range = engine.store.view_range(&asked).await.expect("a range");
    assert_eq!((range.from, range.views, range.viewers), (Some(day("2026-10-25")), 2, 2));
    // October has days that are not kept, and its month still counts them.
    assert_eq!((range.pieces.months, range.pieces.days.len()), (vec![day("2026-11-01")], 7));
    assert_eq!(engine.count("SELECT views FROM view_totals").await, 4);
    assert_eq!(engine.count("SELECT lifetime_viewers FROM view_totals").await, 4);
    assert_eq!(engine.drift().await, 0);
}

/// A video is forgotten everywhere, what is queued of it included; a day of it is taken out of its sketches.
#[tokio::test]
async fn a_video_or_a_day_of_it_is_forgotten() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    for (video, viewer, on) in [
        ("v", "ada", "2026-11-19T10:00:00Z"),
        ("v", "bob", "2026-11-20T10:00:00Z"),
        ("v", "ada", "2026-11-20T10:00:00Z"),
        ("w", "ada", "2026-11-20T10:00:00Z"),
    ] {
        engine.send(&[sent(video, viewer, at(on))]).await;
    }
    engine.fold().await;
    let lane = heatstrip::events::lane::lane("v", engine.store.lanes());
    let gone = forget(&engine.store, "v", lane, &Part::of_day(Some(day("2026-11-20"))))
        .await
        .expect("forgotten")
        .views;
    assert_eq!((gone.views, gone.viewers), (2, 1), "ada was there the day before too");
    let row = engine.sql.query_one(
        "SELECT views, recent_viewers, lifetime_viewers FROM view_totals WHERE video_id = 'v'",
        &[],
    );
    let row = row.await.expect("a row");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2)), (1, 1, 1));
    let months = "SELECT views FROM view_months WHERE video_id = 'v' AND region = 'GLOBAL'";
    assert_eq!(engine.count(months).await, 1);
    assert_eq!(engine.drift().await, 0);
    engine
        .send(&[sent("v", "cem", at("2026-11-21T09:00:00Z")), sent("w", "cem", at("2026-11-21T09:00:00Z"))])
        .await;
    let gone = forget(&engine.store, "v", lane, &Part::default()).await.expect("forgotten");
    assert_eq!((gone.heartbeats.queued, gone.views.views), (1, 1));
    engine.fold().await;
    for table in ["recent_views", "view_totals", "view_epochs", "view_days", "view_months"] {
        assert_eq!(
            engine.count(&format!("SELECT count(*) FROM {table} WHERE video_id = 'v'")).await,
            0,
            "{table}"
        );
    }
    assert_eq!(engine.count("SELECT views FROM view_totals WHERE video_id = 'w'").await, 2);
    assert_eq!(engine.drift().await, 0);
}

/// A region's views are taken out of every sum and sketch that they were in; whoever came there first goes with it.
#[tokio::test]
async fn a_region_of_a_video_is_forgotten() {
    let engine = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    let view = |viewer: &str, region: &str, on: &str| json!({"video_id": "v", "viewer_id": viewer, "region": region, "at": at(on)});
    let mut views = vec![
        view("ada", "JP", "2026-10-30T10:00:00Z"),
        view("bob", "KR", "2026-10-30T10:00:00Z"),
        view("ada", "JP", "2026-11-19T10:00:00Z"),
        view("bob", "KR", "2026-11-19T10:00:00Z"),
        // First seen in the other region: whom it belongs to.
        view("cem", "JP", "2026-11-20T10:00:00Z"),
        view("cem", "KR", "2026-11-20T12:00:00Z"),
    ];
    // So many that the lifetime is an estimate before, and exact behind.
    views.extend((0..400).map(|n| view(&format!("bot {n}"), "KR", "2026-11-20T13:00:00Z")));
    engine.send(&views).await;
    engine.fold().await;
    engine
        .send(&[view("dee", "KR", "2026-11-21T09:00:00Z"), view("eve", "JP", "2026-11-21T09:00:00Z")])
        .await;
    let lane = heatstrip::events::lane::lane("v", engine.store.lanes());
    let part = Part { region: Some("KR".parse().expect("a region")), ..Part::default() };
    let of_day = Part { day: Some(day("2026-11-20")), ..part.clone() };
    // A day first: bob, who came on others too, stays a recent viewer.
    let gone = forget(&engine.store, "v", lane, &of_day).await.expect("forgotten");
    assert_eq!((gone.views.views, gone.views.viewers), (401, 400));
    assert_eq!(engine.count("SELECT estimated_epochs::bigint FROM view_totals").await, 0);
    assert_eq!(engine.drift().await, 0);
    let gone = forget(&engine.store, "v", lane, &part).await.expect("forgotten");
    assert_eq!(
        (gone.views.views, gone.views.viewers, gone.heartbeats.queued),
        (2, 2, 1),
        "bob of two epochs"
    );
    assert_eq!(forget(&engine.store, "v", lane, &part).await.expect("forgotten"), Default::default());
    engine.fold().await;
    let other = Engine::start("2026-11-21T10:00:00Z", Rotation::Monthly).await;
    let kept = |view: &Value| view["region"] == "JP";
    let mut sent: Vec<Value> = views.into_iter().filter(kept).collect();
    sent.push(view("eve", "JP", "2026-11-21T09:00:00Z"));
    other.send(&sent).await;
    other.fold().await;
    for table in ["view_days", "view_months", "view_epochs", "view_totals", "recent_views", "trending"] {
        // Salts differ, so sketches are compared by what they count; what trends everywhere fades by itself.
        let rows = match table {
            "view_days" | "view_months" => "video_id, region, views, hll_cardinality(viewers), epoch",
            "view_epochs" => "epoch, hll_cardinality(viewers)",
            "view_totals" => "views, recent_viewers, lifetime_viewers, estimated_epochs",
            "recent_views" => "first_at, region, views",
            _ => "region",
        };
        let query = format!("SELECT string_agg(({rows})::text, E'\\n' ORDER BY ({rows})::text) FROM {table}");
        let all = async |engine: &Engine| {
            engine.sql.query_one(&query, &[]).await.expect("rows").get::<_, String>(0)
        };
        // Cem's view in the region that went is one that the row still counts.
        let found = all(&engine)
            .await
            .replace("(\"2026-11-20 10:00:00+00\",JP,2)", "(\"2026-11-20 10:00:00+00\",JP,1)");
        assert_eq!(found, all(&other).await, "{table}");
    }
    assert_eq!(engine.drift().await, 0);
}

/// A starting total stands instead of the one before, and nothing that is counted changes by it.
#[tokio::test]
async fn starting_totals_are_imported() {
    let app = App::start(Settings::default()).await;
    view(&app, json!({"video_id": "v", "viewer_id": "ada"})).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("totals.ndjson");
    for (lines, said, views) in [
        (
            "{\"video_id\":\"v\",\"views\":100}\n{\"video_id\":\"w\",\"views\":7}\nx\n",
            "imported 2 starting totals, 2 of them new; refused 1 lines",
            101,
        ),
        (
            "{\"video_id\":\"v\",\"views\":1}\n{\"video_id\":\"v\",\"views\":40}\n",
            "imported 2 starting totals, 1 of them new",
            41,
        ),
        ("{\"video_id\":\"v\",\"views\":40}\n", "imported 1 starting totals, 0 of them new", 41),
    ] {
        std::fs::write(&file, lines).expect("a file");
        let mut import = heatstrip(&["import", "views", file.to_str().expect("a path")]);
        let output = import.env("DATABASE_URL", &app.database.url).output().await.expect("the binary");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && text.contains(said), "{text}");
        assert_eq!(numbers(&app, "v").await, (views, 1, 1));
    }
    assert_eq!(numbers(&app, "w").await, (7, 0, 0));
    assert_eq!(
        heatstrip::work::reconcile::reconcile(&app.store, &app.clock).await.expect("compared")[1].found(),
        0
    );
}

/// Heartbeats of a file may be views of any age; each counts on its own day, and the file once.
#[tokio::test]
async fn replayed_heartbeats_may_be_views() {
    let app = App::start(Settings::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("heartbeats.ndjson");
    let beat = |viewer: &str, at: &str| json!({"video_id": "v", "start_sec": 0, "end_sec": 9, "viewer_id": viewer, "at": at, "view": true});
    let lines = [
        beat("ada", "2025-03-01T10:00:00Z"),
        beat("ada", "2025-03-01T10:10:00Z"),
        beat("ada", "2025-04-01T10:00:00Z"),
    ];
    std::fs::write(&file, lines.map(|line| line.to_string()).join("\n")).expect("a file");
    for _ in 0..2 {
        let mut replay = heatstrip(&["replay", file.to_str().expect("a path")]);
        let output = replay.env("DATABASE_URL", &app.database.url).output().await.expect("the binary");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    app.fold().await;
    assert_eq!(numbers(&app, "v").await, (2, 2, 2));
    let march = app.json("/v1/videos/v/views?to=2025-03-31").await;
    assert_eq!(
        (&march["views"], &march["viewers"], &march["scope"]),
        (&json!(1), &json!(1), &json!("viewers"))
    );
}
