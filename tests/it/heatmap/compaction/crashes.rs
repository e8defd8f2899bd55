//! Compactions that die: at every point between two changes, at any moment, and while somebody reads.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use heatstrip::{
    heatmap::{compaction::CRASH_POINTS, store::shards::GROWTH_TRIGGER},
    work::worker,
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::support::until;

fn compact_process(app: &App) -> Command {
    process(app, &["compact", "--through", YESTERDAY])
}

pub(super) fn process(app: &App, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heatstrip"));
    command
        .args(arguments)
        .env("DATABASE_URL", &app.database.url)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    command
}

/// Shard rows of closed days.
async fn left(sql: &Client) -> i64 {
    count(sql, "video_heatmap_shards WHERE captured_on <= '2026-11-20'").await
}

/// The answers of another database that got the same heartbeats and was never compacted.
async fn expected(heartbeats: &[Value]) -> BTreeMap<String, Value> {
    let app = App::start(Settings::default()).await;
    for batch in heartbeats.chunks(500) {
        send(&app, batch).await;
    }
    app.fold().await;
    everything(&app).await
}

/// Somebody holds the lock of a video: a transaction that moves a piece of it is open.
async fn is_moving(sql: &Client) -> bool {
    count(sql, "pg_locks WHERE locktype = 'advisory' AND classid = hashtext('heatstrip video popular')::bigint & 4294967295")
        .await
        > 0
}

/// Short heartbeats of yesterday, which make a block popular that was not watched before.
pub(super) fn of_block(random: &mut impl Rng, block: u64) -> Vec<Value> {
    let mut heartbeats = heartbeats(random, 600);
    for heartbeat in &mut heartbeats {
        let start = block * 3_600 + random.random_range(0..500);
        *heartbeat = json!({
            "video_id": "popular", "region": heartbeat["region"], "viewer_id": heartbeat["viewer_id"],
            "start_sec": start, "end_sec": start + random.random_range(0..4), "at": "2026-11-20T12:00:00Z",
        });
    }
    heartbeats
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_may_die_at_any_step() {
    const YESTERDAYS: &str = "WHERE captured_on = '2026-11-20'";
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(9);
    let mut sent = Vec::new();
    for (block, point) in (1..).zip(CRASH_POINTS) {
        let mut batch = heartbeats(&mut random, 100);
        batch.extend(of_block(&mut random, block));
        send(&app, &batch).await;
        sent.extend(batch);
        // So that no worker compacts what dead compactions have left.
        sql.batch_execute("DELETE FROM video_heatmap_growth").await.expect("no growth");
        app.fold().await;
        let (before, forms_before) = (everything(&app).await, forms(&sql).await);
        let wholes = format!("video_heatmap_whole_shards {YESTERDAYS}");
        let wholes_before = count(&sql, &wholes).await;
        let status =
            compact_process(&app).env("FAILPOINTS", format!("{point}=return")).status().expect("the program");
        assert!(!status.success(), "{point} was not passed: {forms_before:?} became {:?}", forms(&sql).await);
        assert_eq!(everything(&app).await, before, "after dying at {point}");
        assert_levels_agree(&sql).await;

        // A piece is moved as a whole or not at all, and the order of the rest is as written.
        let growth = count(&sql, &format!("video_heatmap_growth {YESTERDAYS}")).await;
        let partitions = count(&sql, "pg_class WHERE relname = 'video_heatmap_shards_20261120'").await;
        let is_spread =
            async |block: u64| count(&sql, &format!("video_heatmap_spread WHERE block = {block}")).await;
        let (runs_left, wholes_left) = (left(&sql).await, count(&sql, &wholes).await);
        match *point {
            "compaction::committed" | "compaction::pass" => {
                assert_eq!((runs_left, is_spread(block).await), (0, 1), "{point}");
                assert_eq!(wholes_left, wholes_before, "{point}");
            }
            "compaction::wholes_taken" | "compaction::bounds_raised" | "compaction::wholes_written" => {
                assert_eq!((runs_left, wholes_left), (0, wholes_before), "{point}");
            }
            "compaction::emptied" => assert_eq!((runs_left, wholes_left, growth), (0, 0, 3), "{point}"),
            "compaction::shrunk" => assert_eq!((growth, partitions), (0, 1), "{point}"),
            "compaction::dropped" => assert_eq!((growth, partitions), (0, 0), "{point}"),
            _ => assert_eq!(forms(&sql).await, forms_before, "{point} is inside of a transaction"),
        }
    }
    assert!(compact_process(&app).status().expect("the program").success());
    assert_eq!(everything(&app).await, expected(&sent).await);
    assert_eq!(left(&sql).await, 0);
    assert_levels_agree(&sql).await;
    assert_eq!(app.post("[]").await.status(), 422, "the API lives");
}

/// The worker's own compaction comes behind the commit of its fold.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_may_die_while_it_compacts() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut sent = Vec::new();
    for (block, point) in [(1, "compaction::hot_moved"), (2, "compaction::hot_committed")] {
        let batch = of_block(&mut StdRng::seed_from_u64(block), block);
        send(&app, &batch).await;
        sent.extend(batch);
        let almost = GROWTH_TRIGGER - 1;
        sql.batch_execute(&format!(
            "INSERT INTO video_heatmap_growth VALUES ('popular', '2026-11-20', {almost})
             ON CONFLICT (video_id, captured_on) DO UPDATE SET runs_appended = {almost}"
        ))
        .await
        .expect("a video that has grown");
        let status = process(&app, &["work", "--once"]).env("FAILPOINTS", format!("{point}=return")).status();
        assert!(!status.expect("the program").success(), "{point} was not passed");
        assert_eq!(app.store.queue_depth().await.expect("a depth").heartbeats, 0, "the fold is committed");
        let [spread, _, _, shards, _] = forms(&sql).await;
        match block {
            1 => assert!(spread == 0 && shards > 500, "{spread} blocks, {shards} shard runs"),
            _ => assert_eq!((spread, shards), (2, 0), "what died before was moved too"),
        }
        assert_eq!(everything(&app).await, expected(&sent).await, "after dying at {point}");
        assert_levels_agree(&sql).await;
    }
    // Whole videos wait for the night.
    assert!(count(&sql, "video_heatmap_whole_shards").await > 0);
    assert_eq!(count(&sql, "video_heatmap_whole").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn strips_are_read_while_a_piece_is_moved() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut batch = heartbeats(&mut StdRng::seed_from_u64(12), 300);
    batch.extend(of_block(&mut StdRng::seed_from_u64(13), 1));
    send(&app, &batch).await;
    app.fold().await;
    let (before, forms_before) = (everything(&app).await, forms(&sql).await);
    for point in ["compaction::taken", "compaction::written", "compaction::gathered", "compaction::levels"] {
        let mut compacting = compact_process(&app)
            .env("FAILPOINTS", format!("{point}=sleep(60000)"))
            .spawn()
            .expect("the program");
        until("a piece is under way", Duration::from_secs(30), async || is_moving(&sql).await.then_some(()))
            .await;
        // Twice, as the lock comes a moment before the point.
        for _ in 0..2 {
            assert_eq!(everything(&app).await, before, "while it stands at {point}");
        }
        // Heartbeats are folded meanwhile, of the very video.
        let late = of_block(&mut StdRng::seed_from_u64(14), 2);
        if point == "compaction::levels" {
            send(&app, &late).await;
            app.fold().await;
        }
        assert!(is_moving(&sql).await, "the reads were over first");
        kill(&mut compacting);
        until("the server has noticed", Duration::from_secs(30), async || {
            (!is_moving(&sql).await).then_some(())
        })
        .await;
        if point != "compaction::levels" {
            assert_eq!(forms(&sql).await, forms_before, "nothing is left of it");
        } else {
            batch.extend(late);
        }
    }
    assert!(compact_process(&app).status().expect("the program").success());
    assert_eq!(everything(&app).await, expected(&batch).await);
    assert_levels_agree(&sql).await;
}

fn kill(process: &mut Child) {
    process.kill().expect("a signal");
    process.wait().expect("a status");
}

/// Killed at random while two workers write late heartbeats of the same day.
#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_may_be_killed_at_any_moment() {
    const KILLS: u32 = 50;
    /// So many of them while a piece was moved.
    const INSIDE: u32 = 10;
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let stop = CancellationToken::new();
    let workers = Store::connect(&app.database.url, 4).await.expect("a pool");
    for _ in 0..2 {
        tokio::spawn(worker::run(workers.clone().into(), app.clock.clone(), Duration::ZERO, stop.clone()));
    }
    let seed = 10;
    let mut random = StdRng::seed_from_u64(seed);
    let mut sent = Vec::new();
    let (mut kills, mut inside) = (0, 0);
    let started = Instant::now();
    while kills < KILLS || inside < INSIDE {
        let found = format!("{kills} kills found work, {inside} a piece, seed {seed}");
        assert!(started.elapsed() < Duration::from_secs(240), "{found}");
        let batch = heartbeats(&mut random, 200);
        send(&app, &batch).await;
        sent.extend(batch);
        // It lingers inside of transactions, so that kills meet them.
        let lingers =
            ["taken", "written", "levels"].map(|point| format!("compaction::{point}=sleep(10)")).join(";");
        let mut compacting = compact_process(&app).env("FAILPOINTS", lingers).spawn().expect("the program");
        let moment = Duration::from_millis(random.random_range(5..90));
        // The moment is what the test is about.
        tokio::time::sleep(moment).await;
        let moved = is_moving(&sql).await;
        compacting.kill().expect("a signal");
        let ended_before = compacting.wait().expect("a status").success();
        if !ended_before && left(&sql).await > 0 {
            kills += 1;
            inside += u32::from(moved);
        }
    }
    app.fold().await;
    stop.cancel();
    assert!(compact_process(&app).status().expect("the program").success());
    assert_eq!(everything(&app).await, expected(&sent).await);
    assert_eq!(left(&sql).await, 0);
    assert_levels_agree(&sql).await;
}
