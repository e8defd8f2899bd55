//! Several at one video-day: two nights, workers that compact and fold, and who forgets a video.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use heatstrip::{
    events::{lane::lane, part::Part},
    heatmap::compaction::{PIECE, compact_hot},
    work::forget::forget,
};

use super::*;
use crate::support::until;

/// How long anything that must happen may take.
const DEADLINE: Duration = Duration::from_secs(30);
const SMALL: Limits = Limits { rows: 60, seconds: 2_000, videos: 2 };

/// The answers of another database that got the same heartbeats and was never compacted.
async fn expected(batches: &[Vec<Value>]) -> BTreeMap<String, Value> {
    let app = App::start(Settings::default()).await;
    for batch in batches {
        send(&app, batch).await;
    }
    app.fold().await;
    everything(&app).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_compactions_and_a_fold_may_be_at_one_video_day() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(21);
    let batches: Vec<Vec<Value>> = (0..8).map(|_| heartbeats(&mut random, 250)).collect();
    let ended = AtomicBool::new(false);
    let night = async |rows| {
        let mut moved = 0;
        while !ended.load(Ordering::Relaxed) {
            for on in [YESTERDAY, "2026-11-21"] {
                in_pieces(&app.store, rows, on, SMALL, async |_| moved += 1).await;
            }
            tokio::task::yield_now().await;
        }
        moved
    };
    let hot = async || {
        let mut moved = 0;
        while !ended.load(Ordering::Relaxed) {
            for video in ["popular", "tail", "long"] {
                for on in [YESTERDAY, "2026-11-21"] {
                    moved += compact_hot(&app.store, video, day(on)).await.expect("compacted");
                }
            }
            tokio::task::yield_now().await;
        }
        moved
    };
    let fold = async || {
        for batch in &batches {
            send(&app, batch).await;
            app.fold().await;
        }
        ended.store(true, Ordering::Relaxed);
    };
    app.store.ensure_shard_partitions(&[day(YESTERDAY), day("2026-11-21")].into()).await.expect("partitions");
    let (first, second, wholes, hot, ()) =
        tokio::join!(night(Rows::Runs), night(Rows::Runs), night(Rows::Whole), hot(), fold());
    println!("{first} and {second} pieces by night, {wholes} of whole videos, {hot} rows by day");
    assert!(first > 0 && second > 0 && wholes > 0 && hot > 0, "all of them came to something");
    let expected = expected(&batches).await;
    assert_eq!(everything(&app).await, expected);
    assert_levels_agree(&sql).await;
    compaction::run(&app.store, day("2026-11-21"), |_| ()).await.expect("the rest");
    assert_eq!(everything(&app).await, expected);
    assert_levels_agree(&sql).await;
    assert_eq!(forms(&sql).await[3], 0);
    assert_eq!(forms(&sql).await[0], 2, "the popular block of both days is spread");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forgotten_does_not_come_back() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(22);
    for round in 0..8 {
        send(&app, &heartbeats(&mut random, 600)).await;
        app.fold().await;
        let night = in_pieces(&app.store, Rows::Runs, YESTERDAY, SMALL, async |_| ());
        let wholes = in_pieces(&app.store, Rows::Whole, YESTERDAY, Limits { rows: 1, ..SMALL }, async |_| ());
        let hot = compact_hot(&app.store, "popular", day("2026-11-21"));
        let forgotten = async {
            // Somewhere in between.
            for _ in 0..round * 40 {
                tokio::task::yield_now().await;
            }
            forget(&app.store, "popular", lane("popular", app.store.lanes()), &Part::default())
                .await
                .expect("forgotten")
        };
        let (_, _, hot, _) = tokio::join!(night, wholes, hot, forgotten);
        hot.expect("compacted");
        for table in super::super::retention::TABLES {
            let rows = count(&sql, &format!("{table} WHERE video_id = 'popular'")).await;
            assert_eq!(rows, 0, "{table}, round {round}");
        }
        assert_levels_agree(&sql).await;
    }
    assert!(count(&sql, "video_heatmap_runs WHERE video_id = 'tail'").await > 0);
}

/// A worker leaves a video alone that somebody is at, and the night waits for its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lock_a_video_and_epoch() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    send(&app, &heartbeats(&mut StdRng::seed_from_u64(23), 300)).await;
    app.fold().await;
    let before = forms(&sql).await;
    sql.batch_execute(
        "SELECT pg_advisory_lock(hashtext('heatstrip video popular'), '0001-01-01'::date - '2026-11-20'::date - 1)",
    )
    .await
    .expect("the lock of the video-day");
    sql.batch_execute(
        "UPDATE video_heatmap_growth SET runs_appended = 13009 WHERE video_id = 'popular' AND captured_on = '2026-11-20'",
    )
    .await
    .expect("it has grown past the trigger twice");
    assert_eq!(compact_hot(&app.store, "popular", day(YESTERDAY)).await.expect("a try"), 0);
    assert_eq!(forms(&sql).await, before, "nothing was moved");
    // The next run that is appended passes the multiple again: two tries that fail do not add up.
    let rearmed = "video_heatmap_growth
        WHERE video_id = 'popular' AND captured_on = '2026-11-20' AND runs_appended = 2 * 6500 - 1";
    assert_eq!(count(&sql, rearmed).await, 1);
    // Another epoch of the video, and another video, are nobody's.
    assert!(compact_hot(&app.store, "popular", day("2026-11-21")).await.expect("compacted") > 0);
    assert!(compact_hot(&app.store, "tail", day(YESTERDAY)).await.expect("compacted") > 0);

    let store = app.store.clone();
    let night = tokio::spawn(async move {
        compaction::step(&store, Rows::Runs, day(YESTERDAY), &ShardKey::first(), PIECE).await
    });
    crate::support::until("the night waits", std::time::Duration::from_secs(30), async || {
        (count(&sql, "pg_locks WHERE locktype = 'advisory' AND NOT granted").await > 0).then_some(())
    })
    .await;
    sql.batch_execute("SELECT pg_advisory_unlock_all()").await.expect("its end");
    let Step::Moved(piece) = night.await.expect("no panic").expect("a piece") else {
        panic!("nothing to move")
    };
    assert!(piece.rows > 0);
    assert_eq!(count(&sql, "video_heatmap_shards WHERE captured_on = '2026-11-20'").await, 0);
}

/// A count goes only with the last shard run of its video-day.
#[tokio::test]
async fn growth_is_forgotten_with_the_shard_runs() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    send(&app, &heartbeats(&mut StdRng::seed_from_u64(24), 300)).await;
    app.fold().await;
    let grown = async || count(&sql, "video_heatmap_growth WHERE captured_on = '2026-11-20'").await;
    assert_eq!(grown().await, 3);
    compact_hot(&app.store, "popular", day(YESTERDAY)).await.expect("compacted");
    assert_eq!(grown().await, 3, "a worker leaves it, as the next multiple counts from there");
    app.store.delete_growth(day(YESTERDAY)).await.expect("a look");
    assert_eq!(grown().await, 2);
    compaction::run(&app.store, day(YESTERDAY), |_| ()).await.expect("a night");
    assert_eq!((grown().await, count(&sql, "video_heatmap_growth").await), (0, 3), "today's stay");
}

/// A fold locks the counts of several videos in their order; the night, which finds them in any, locks them in the same.
#[tokio::test]
async fn forgetting_growth_and_a_fold_do_not_wait_in_a_circle() {
    let app = App::start(Settings::default()).await;
    let (sql, fold) = (client(&app).await, client(&app).await);
    // In the file the later video comes first.
    let counts = "INSERT INTO video_heatmap_growth VALUES ('b', '2026-11-20', 5), ('a', '2026-11-20', 5)";
    let lock = |video: &str| {
        format!(
            "SELECT FROM video_heatmap_growth WHERE video_id = '{video}' AND captured_on = '2026-11-20' FOR UPDATE NOWAIT"
        )
    };
    app.store.advance_retention(Some(day("2026-11-21")), None).await.expect("a later day");
    for night in ["growth", "unkept"] {
        sql.batch_execute(counts).await.expect("counts");
        fold.batch_execute(&format!("BEGIN; {}", lock("a"))).await.expect("a fold counts the first video");
        let store = app.store.clone();
        let forgetting = tokio::spawn(async move {
            match night {
                "growth" => store.delete_growth(day(YESTERDAY)).await,
                _ => store.delete_beside_unkept().await.map(|_| ()),
            }
        });
        until("the night waits for the fold", DEADLINE, async || {
            let waiting =
                "pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid'";
            (count(&sql, waiting).await > 0).then_some(())
        })
        .await;
        fold.batch_execute(&lock("b")).await.expect("nobody who waits for it has the second one");
        fold.batch_execute("COMMIT").await.expect("the fold is done");
        forgetting.await.expect("no panic").expect("they go");
        assert_eq!(count(&sql, "video_heatmap_growth").await, 0, "{night}");
    }
}
