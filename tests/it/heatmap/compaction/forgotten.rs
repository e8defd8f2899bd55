//! A part of a video is forgotten: every answer is that of a database that never saw it, whatever form its rows were in,
//! whoever is at work meanwhile, and wherever the process dies.

use std::time::Duration;

use heatstrip::{
    events::{lane::lane, part::Part, region::Region},
    viewers::{epoch::Rotation, salt::SaltSource},
    work::{
        forget::{CRASH_POINTS, Forgotten, forget},
        worker,
    },
};

use super::{
    crashes::{of_block, process},
    *,
};
use crate::support::{chance, until};

/// Every answer but the ledger: what came stays true, whatever is left of it.
async fn everything(app: &App) -> BTreeMap<String, Value> {
    let mut answers = super::everything(app).await;
    answers.retain(|path, _| !path.ends_with("/ledger"));
    answers
}

async fn expected(heartbeats: &[Value]) -> BTreeMap<String, Value> {
    expected_with(Settings::default(), heartbeats).await
}

fn region(name: &str) -> Option<Region> {
    Some(Region::parse(name).expect("a region"))
}

async fn forget_of(app: &App, video: &str, part: &Part) -> Forgotten {
    forget(&app.store, video, lane(video, app.store.lanes()), part).await.expect("forgotten")
}

/// What is left of heartbeats once a part of a video is forgotten.
fn left(heartbeats: Vec<Value>, video: &str, part: &Part) -> Vec<Value> {
    let leaves = |mut heartbeat: Value| {
        let on = day(&heartbeat["at"].as_str().expect("an instant")[..10]);
        if heartbeat["video_id"] != video || part.day.is_some_and(|day| day != on) {
            return Some(heartbeat);
        }
        if part.region.as_ref().is_some_and(|region| region.as_str() != heartbeat["region"]) {
            return Some(heartbeat);
        }
        let last = part.after_sec?;
        let second = |name: &str| heartbeat[name].as_i64().expect("a second") as i32;
        let (start, end) = (second("start_sec"), second("end_sec"));
        heartbeat["end_sec"] = end.min(last).into();
        (start <= last).then_some(heartbeat)
    };
    heartbeats.into_iter().filter_map(leaves).collect()
}

/// A bound is none if it is below what it bounds, and one that bounds nothing makes the list look for nothing.
async fn assert_bounds(sql: &Client) {
    let wrong = "(
        SELECT video_id, region, date_trunc('month', captured_on)::date AS month,
            max(round(hll_cardinality(viewers))) AS viewers
        FROM video_heatmap_whole GROUP BY 1, 2, 3) AS w
        FULL JOIN video_heatmap_bounds AS b USING (video_id, region, month)
        WHERE w.viewers IS NULL OR b.viewers IS NULL OR b.viewers < w.viewers";
    assert_eq!(count(sql, wrong).await, 0, "bounds");
}

fn any_part(random: &mut impl Rng, video: &str) -> Part {
    let last_sec = match video {
        "popular" => random.random_range(0..720),
        "tail" => random.random_range(0..200),
        _ => random.random_range(3_480..3_700),
    };
    let (of_day, of_region, behind) = loop {
        let chosen = (random.random_bool(0.5), random.random_bool(0.5), random.random_bool(0.5));
        if chosen.1 || chosen.2 {
            break chosen;
        }
    };
    let days = [day(YESTERDAY), day("2026-11-21")];
    Part {
        day: of_day.then(|| days[random.random_range(0..2)]),
        region: of_region
            .then(|| ["JP", "KR", "US", "XX"][random.random_range(0..4)].parse().expect("a region")),
        after_sec: behind.then_some(last_sec),
    }
}

/// In every round heartbeats come, some of them stay queued or in the shards, and parts go.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_that_of_a_database_that_never_saw_it() {
    let mut random = chance();
    for rotation in [Rotation::Daily, Rotation::Weekly] {
        let settings = || Settings { salts: SaltSource::Made(rotation), ..Settings::default() };
        let app = App::start(settings()).await;
        let sql = client(&app).await;
        let (mut sent, mut parts, mut gone) = (Vec::new(), 0, Forgotten::default());
        for round in 0..5 {
            let batch = heartbeats(&mut random, 500);
            send(&app, &batch).await;
            sent.extend(batch);
            // One round after the other: shards, runs and seconds of a closed day, of the open day too, counted epochs.
            match round {
                0 => {}
                1 => {
                    app.fold().await;
                    let through = day(YESTERDAY);
                    compaction::run(&app.store, through, |_| ()).await.expect("a compaction");
                }
                2 => {
                    app.fold().await;
                    compaction::run(&app.store, day("2026-11-21"), |_| ()).await.expect("a compaction");
                    super::super::forms::to_earlier_form(&sql, "2026-11-21", "KR").await;
                }
                _ => {
                    app.fold().await;
                    let keep = nightly::Keep::default();
                    nightly::run(&app.store, &app.clock, day(YESTERDAY), keep, |_| ())
                        .await
                        .expect("a night");
                }
            }
            if round == 3 {
                let late = heartbeats(&mut random, 100);
                send(&app, &late).await;
                sent.extend(late);
            }
            for _ in 0..2 {
                let video = ["popular", "popular", "tail", "long"][random.random_range(0..4)];
                let part = any_part(&mut random, video);
                println!("{rotation}, round {round}: {video} {part:?}");
                let done = forget_of(&app, video, &part).await;
                gone.rows.canonical += done.rows.canonical;
                gone.rows.shards += done.rows.shards;
                gone.heartbeats.queued += done.heartbeats.queued;
                sent = left(sent, video, &part);
                assert_levels_agree(&sql).await;
                assert_bounds(&sql).await;
                let again = forget_of(&app, video, &part).await;
                assert_eq!(again, Forgotten::default(), "nothing is left to forget");
                parts += 1;
            }
            app.fold().await;
            let expected = expected_with(settings(), &sent).await;
            assert_eq!(everything(&app).await, expected, "round {round}");
        }
        // Whatever was queued, folded, compacted, spread and counted went through it.
        println!("{parts} parts: {gone:?}, {:?}", forms(&sql).await);
        nightly::run(&app.store, &app.clock, day("2026-11-21"), nightly::Keep::default(), |_| ())
            .await
            .expect("a night");
        assert_eq!(everything(&app).await, expected_with(settings(), &sent).await, "after a night");
        // Of epochs that are over, and counted; the week is not.
        let counted = count(&sql, "video_heatmap_counts WHERE video_id = 'popular'").await;
        assert_eq!(counted > 0, rotation == Rotation::Daily);
        let part = Part { day: Some(day(YESTERDAY)), after_sec: Some(33), ..Part::default() };
        assert!(forget_of(&app, "popular", &part).await.rows.canonical > 0);
        sent = left(sent, "popular", &part);
        let expected = expected_with(settings(), &sent).await;
        assert_eq!(everything(&app).await, expected, "counted no more");
        nightly::run(&app.store, &app.clock, day("2026-11-21"), nightly::Keep::default(), |_| ())
            .await
            .expect("a night");
        assert_eq!(everything(&app).await, expected, "and counted again");
        assert_levels_agree(&sql).await;
    }
}

/// Of a day that is not kept by the second, a bucket of 5 s in which the cut lies stays whole.
#[tokio::test]
async fn days_that_are_thinned_are_cut_at_buckets() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut sent: Vec<Value> = heartbeats(&mut StdRng::seed_from_u64(31), 2_500)
        .into_iter()
        .filter(|heartbeat| heartbeat["video_id"] == "popular" && heartbeat["at"] == "2026-11-20T12:00:00Z")
        .collect();
    send(&app, &sent).await;
    app.fold().await;
    let keep = nightly::Keep { fine_days: Some(0), ..nightly::Keep::default() };
    nightly::run(&app.store, &app.clock, day(YESTERDAY), keep, |_| ()).await.expect("a night");
    assert_eq!((count(&sql, "video_heatmap").await, forms(&sql).await[0]), (0, 1), "thinned and spread");
    let part = Part { after_sec: Some(301), region: region("KR"), ..Part::default() };
    assert!(forget_of(&app, "popular", &part).await.rows.canonical > 0);
    sent = left(sent, "popular", &Part { after_sec: Some(304), ..part });
    let other = App::start(Settings::default()).await;
    send(&other, &sent).await;
    other.fold().await;
    let questions =
        ["heatmap?resolution=5", "heatmap?resolution=10&region=KR", "heatmap?resolution=60", "regions"];
    for question in questions {
        let path = format!("/v1/videos/popular/{question}");
        let (mut answer, mut expected) = (app.json(&path).await, other.json(&path).await);
        for answer in [&mut answer, &mut expected] {
            answer.as_object_mut().expect("an object").remove("generated_at");
        }
        assert_eq!(answer, expected, "{question}");
    }
    assert_bounds(&sql).await;
}

/// The answers of another database with these settings that got the same heartbeats and was never compacted.
async fn expected_with(settings: Settings, heartbeats: &[Value]) -> BTreeMap<String, Value> {
    let app = App::start(settings).await;
    for batch in heartbeats.chunks(500) {
        send(&app, batch).await;
    }
    app.fold().await;
    everything(&app).await
}

/// A night, a worker that compacts and one that folds, all at the video of which a region goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_does_not_come_back() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(32);
    let part = Part { region: region("KR"), ..Part::default() };
    let mut sent = Vec::new();
    let small = Limits { rows: 40, seconds: 400, videos: 2 };
    for round in 0..6 {
        let batch = heartbeats(&mut random, 600);
        send(&app, &batch).await;
        app.fold().await;
        sent.extend(batch);
        // Of other regions, and folded while the region goes.
        let late: Vec<Value> = heartbeats(&mut random, 300)
            .into_iter()
            .filter(|heartbeat| heartbeat["video_id"] != "popular" || heartbeat["region"] != "KR")
            .collect();
        send(&app, &late).await;
        sent.extend(late);
        let night = in_pieces(&app.store, Rows::Runs, YESTERDAY, small, async |_| ());
        let wholes = in_pieces(&app.store, Rows::Whole, YESTERDAY, Limits { rows: 1, ..small }, async |_| ());
        let hot = compaction::compact_hot(&app.store, "popular", day("2026-11-21"));
        let forgotten = async {
            // Somewhere in between.
            for _ in 0..round * 40 {
                tokio::task::yield_now().await;
            }
            forget_of(&app, "popular", &part).await
        };
        let (_, _, hot, gone, _) = tokio::join!(night, wholes, hot, forgotten, app.fold());
        hot.expect("compacted");
        assert!(gone.rows.canonical + gone.rows.shards > 0, "round {round}: {gone:?}");
        sent = left(sent, "popular", &part);
        for table in super::super::retention::TABLES {
            if *table != "video_heatmap_growth" && *table != "video_heatmap_spread" {
                let rows =
                    count(&sql, &format!("{table} WHERE video_id = 'popular' AND region = 'KR'")).await;
                assert_eq!(rows, 0, "{table}, round {round}");
            }
        }
        assert_levels_agree(&sql).await;
        assert_bounds(&sql).await;
    }
    assert_eq!(everything(&app).await, expected(&sent).await);
    assert_eq!(count(&sql, "video_heatmap_spread").await, 2, "seconds went, and runs before them");
}

/// A fold that came in between would add to whole videos that are being written anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_folds_while_a_day_is_cut() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(34);
    let mut sent = heartbeats(&mut random, 300);
    send(&app, &sent).await;
    app.fold().await;
    let late = heartbeats(&mut random, 100);
    let arguments = ["forget", "--video", "popular", "--after-sec", "300"];
    let point = "forget::wholes";
    let mut cutting = process(&app, &arguments)
        .env("FAILPOINTS", format!("{point}=sleep(60000)"))
        .spawn()
        .expect("the program");
    let at_work = "pg_locks WHERE locktype = 'advisory' AND classid = hashtext('heatstrip video popular')::bigint & 4294967295";
    until("a day is cut", Duration::from_secs(30), async || (count(&sql, at_work).await > 0).then_some(()))
        .await;
    send(&app, &late).await;
    let of_popular = lane("popular", app.store.lanes());
    while worker::step(&app.store, &app.clock, Duration::ZERO).await.expect("a step") != worker::Step::Idle {}
    let waiting = count(&sql, &format!("heartbeat_queue WHERE lane = {of_popular}")).await;
    assert!(waiting > 0, "what waits for its lane");
    assert_eq!(
        count(&sql, &format!("heartbeat_queue WHERE lane <> {of_popular}")).await,
        0,
        "nothing else does"
    );
    cutting.kill().expect("a signal");
    cutting.wait().expect("a status");
    until("the server has noticed", Duration::from_secs(30), async || {
        (count(&sql, at_work).await == 0).then_some(())
    })
    .await;
    sent.extend(late);
    app.fold().await;
    assert_eq!(everything(&app).await, expected(&sent).await, "nothing of it was committed");
}

/// A piece would bring back rows that it has taken, and raise bounds of the month that are being summed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piece_of_the_month_is_waited_for() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut sent = heartbeats(&mut StdRng::seed_from_u64(35), 400);
    send(&app, &sent).await;
    app.fold().await;
    for (point, on) in [("compaction::taken", YESTERDAY), ("compaction::bounds_raised", "2026-11-21")] {
        let mut compacting = process(&app, &["compact", "--through", YESTERDAY])
            .env("FAILPOINTS", format!("{point}=sleep(60000)"))
            .spawn()
            .expect("the program");
        let at_work = "pg_locks WHERE locktype = 'advisory' AND classid = hashtext('heatstrip video popular')::bigint & 4294967295 AND granted";
        until("a piece is under way", Duration::from_secs(30), async || {
            (count(&sql, at_work).await > 0).then_some(())
        })
        .await;
        let part = Part { day: Some(day(on)), region: region("KR"), ..Part::default() };
        let (store, forgotten) = (app.store.clone(), part.clone());
        let forgetting = tokio::spawn(async move {
            forget(&store, "popular", lane("popular", store.lanes()), &forgotten).await.expect("forgotten")
        });
        until("the removal waits", Duration::from_secs(30), async || {
            (count(&sql, "pg_locks WHERE locktype = 'advisory' AND NOT granted").await > 0).then_some(())
        })
        .await;
        compacting.kill().expect("a signal");
        compacting.wait().expect("a status");
        assert!(forgetting.await.expect("no panic").rows.shards > 0);
        sent = left(sent, "popular", &part);
        assert_eq!(everything(&app).await, expected(&sent).await, "{point}");
    }
    compaction::run(&app.store, day(YESTERDAY), |_| ()).await.expect("a compaction");
    assert_eq!(everything(&app).await, expected(&sent).await);
    assert_bounds(&sql).await;
}

/// A process that removes a part dies at every line, and the next one goes on with the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_removal_may_die_at_any_line() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(33);
    let mut sent = Vec::new();
    for (nth, point) in (1..).zip(CRASH_POINTS) {
        // Both days have rows of the part in every form, and some heartbeats wait.
        let mut batch = heartbeats(&mut random, 200);
        batch.extend(of_block(&mut random, nth));
        send(&app, &batch).await;
        app.fold().await;
        compaction::run(&app.store, day(YESTERDAY), |_| ()).await.expect("a compaction");
        let more = heartbeats(&mut random, 100);
        send(&app, &more).await;
        app.fold().await;
        let queued = heartbeats(&mut random, 100);
        send(&app, &queued).await;
        sent.extend(batch.into_iter().chain(more));
        // By turns a region and what is behind the cut, amid a bucket of each level.
        let behind = nth as i32 * 3_600 + 101;
        let (flags, part) = match *point {
            "forget::cut" | "forget::wholes" => (
                vec!["--after-sec".to_owned(), behind.to_string()],
                Part { after_sec: Some(behind), ..Part::default() },
            ),
            _ => (
                vec!["--region".to_owned(), "kr".to_owned()],
                Part { region: region("KR"), ..Part::default() },
            ),
        };
        let before = everything(&app).await;
        let forms_before = forms(&sql).await;
        let mut arguments = vec!["forget", "--video", "popular"];
        arguments.extend(flags.iter().map(String::as_str));
        let mut dying = process(&app, &arguments);
        let status = dying.env("FAILPOINTS", format!("{point}=return")).status().expect("the program");
        assert!(!status.success(), "{point} was not passed: {forms_before:?}");
        assert_levels_agree(&sql).await;
        assert_bounds(&sql).await;
        // What waited is gone already. Of the days the first is done or not begun.
        let in_kr = async |on: &str| {
            count(&sql, &format!("video_heatmap_seconds WHERE video_id = 'popular' AND region = 'KR' AND captured_on = '{on}'")).await
        };
        match *point {
            "forget::day" => {
                assert_eq!((in_kr(YESTERDAY).await, in_kr("2026-11-21").await > 0), (0, true), "{point}");
            }
            "forget::views" => {
                assert_eq!((in_kr(YESTERDAY).await, in_kr("2026-11-21").await), (0, 0), "{point}");
            }
            _ => {
                assert_eq!(forms(&sql).await, forms_before, "{point} is inside of a transaction");
                assert_eq!(everything(&app).await, before, "after dying at {point}");
            }
        }
        assert!(process(&app, &arguments).status().expect("the program").success());
        sent = left(sent, "popular", &part);
        sent.extend(left(queued, "popular", &part));
        app.fold().await;
        assert_levels_agree(&sql).await;
        assert_bounds(&sql).await;
        // Another database takes its time: now and then, and in the end.
        if nth % 5 == 0 || nth as usize == CRASH_POINTS.len() {
            assert_eq!(everything(&app).await, expected(&sent).await, "after {point}");
        }
    }
}
