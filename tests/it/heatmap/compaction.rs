//! Compaction changes no strip: not before, not during, not after, not when it dies.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use heatstrip::{
    heatmap::compaction::{self, CRASH_POINTS},
    postgres::{Store, StoreError},
    work::{nightly, worker},
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

use crate::support::{App, Settings};

const YESTERDAY: &str = "2026-11-20";
/// The shapes a strip is read in: every level, a resolution of none, one region, several and all.
const QUESTIONS: &[&str] = &[
    "resolution=1",
    "resolution=5&region=JP",
    "resolution=7&region=JP,KR",
    "resolution=10&from=2026-11-20",
    "resolution=60",
    "resolution=3600&region=KR&to=2026-11-20",
];

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

async fn client(app: &App) -> Client {
    let (client, connection) = tokio_postgres::connect(&app.database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn count(client: &Client, table: &str) -> i64 {
    client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.expect("a count").get(0)
}

/// Every strip and list, without `generated_at`.
async fn everything(app: &App) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    let mut paths = vec!["/v1/videos?limit=100".to_owned(), "/v1/videos?region=JP".to_owned()];
    for video in ["v0", "v1", "v2"] {
        paths.extend(QUESTIONS.iter().map(|question| format!("/v1/videos/{video}/heatmap?{question}")));
    }
    for path in paths {
        let mut answer = app.json(&path).await;
        answer.as_object_mut().expect("an object").remove("generated_at");
        answers.insert(path, answer);
    }
    answers
}

/// Heartbeats of today and yesterday, some by the same viewers.
fn heartbeats(random: &mut impl Rng, many: usize) -> Vec<Value> {
    let mut heartbeat = || {
        let start = random.random_range(0..150);
        json!({
            "video_id": format!("v{}", random.random_range(0..3)),
            "region": (["JP", "KR", "US"][random.random_range(0..3)]),
            "start_sec": start,
            "end_sec": start + random.random_range(0..30),
            "viewer_id": format!("w{}", random.random_range(0..250)),
            "at": (["2026-11-20T12:00:00Z", "2026-11-21T09:00:00Z"][random.random_range(0..2)]),
        })
    };
    (0..many).map(|_| heartbeat()).collect()
}

async fn send(app: &App, heartbeats: &[Value]) {
    let response = app.post(serde_json::to_string(heartbeats).expect("JSON")).await;
    assert_eq!(response.status(), 202);
}

#[tokio::test]
async fn no_strip_changes_and_late_heartbeats_are_added() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(7);
    for round in 0..4 {
        send(&app, &heartbeats(&mut random, 400)).await;
        app.fold().await;
        let before = everything(&app).await;
        // The open day may be compacted too.
        let through = if round == 2 { day("2026-11-21") } else { day(YESTERDAY) };
        let summary = compaction::run(&app.store, through, |_| ()).await.expect("a compaction");
        assert!(summary.rows > 0 && summary.dropped > 0, "{summary:?}");
        assert_eq!(count(&sql, "video_heatmap_counts").await, 0, "no count outlives a change of its rows");
        assert_eq!(everything(&app).await, before, "round {round}");
        let again = compaction::run(&app.store, through, |_| ()).await.expect("a compaction");
        assert_eq!(again, compaction::Summary::default(), "a further run does nothing");
        // Yesterday's epoch is over: counted, it answers the same.
        let keep = nightly::Keep::default();
        nightly::run(&app.store, &app.clock, through, keep, |_| ()).await.expect("a night");
        assert_eq!(count(&sql, "video_heatmap_counts WHERE first_day = '2026-11-20'").await, 3 * 4 * 3);
        assert_eq!(count(&sql, "video_heatmap_counts WHERE first_day <> '2026-11-20'").await, 0);
        assert_eq!(everything(&app).await, before, "round {round}, counted");
    }
    compaction::run(&app.store, day("2026-11-21"), |_| ()).await.expect("a compaction");
    assert_eq!(
        count(&sql, "video_heatmap_shards").await + count(&sql, "video_heatmap_whole_shards").await,
        0
    );
    assert_levels_agree(&sql).await;
}

#[tokio::test]
async fn no_strip_changes_while_pieces_are_moved() {
    let app = App::start(Settings::default()).await;
    let mut random = StdRng::seed_from_u64(8);
    send(&app, &heartbeats(&mut random, 2_000)).await;
    app.fold().await;
    let before = everything(&app).await;
    let store = app.store.clone();
    store.ensure_canonical_partition(day(YESTERDAY)).await.expect("partitions");
    // Pieces so small that a strip lies in many of them.
    let mut behind = heatstrip::heatmap::store::canonical::ShardKey::first();
    let mut pieces = 0;
    while let compaction::Step::Moved(piece) = compaction::step(
        &store,
        heatstrip::heatmap::store::canonical::Rows::Seconds,
        day(YESTERDAY),
        &behind,
        97,
    )
    .await
    .expect("a piece")
    {
        behind = piece.end;
        pieces += 1;
        if pieces % 4 == 1 {
            assert_eq!(everything(&app).await, before, "after piece {pieces}");
        }
    }
    assert!(pieces > 10, "{pieces} pieces");
    assert_eq!(everything(&app).await, before);
}

/// Every canonical level is the union of the canonical seconds, GLOBAL that of the regions.
async fn assert_levels_agree(sql: &Client) {
    for (table, seconds) in [("video_heatmap_5s", 5), ("video_heatmap_60s", 60)] {
        let differing = sql
            .query_one(
                &format!(
                    "SELECT count(*) FROM (
                        SELECT video_id, captured_on, region, bucket_sec / {seconds} * {seconds} AS bucket_sec,
                            hll_send(hll_union_agg(viewers)) AS viewers, sum(plays) AS plays, max(bucket_sec) AS last_sec
                        FROM video_heatmap GROUP BY 1, 2, 3, 4) fine
                     FULL JOIN {table} coarse USING (video_id, captured_on, region, bucket_sec)
                     WHERE fine.viewers IS DISTINCT FROM hll_send(coarse.viewers)
                        OR fine.plays IS DISTINCT FROM coarse.plays OR fine.last_sec IS DISTINCT FROM coarse.last_sec"
                ),
                &[],
            )
            .await
            .expect("a comparison");
        assert_eq!(differing.get::<_, i64>(0), 0, "{table}");
    }
    let differing = sql
        .query_one(
            "SELECT (SELECT count(*) FROM (
                SELECT video_id, captured_on, bucket_sec, hll_send(hll_union_agg(viewers)) AS viewers, sum(plays) AS plays
                FROM video_heatmap WHERE region <> 'GLOBAL' GROUP BY 1, 2, 3) regions
             FULL JOIN (SELECT * FROM video_heatmap WHERE region = 'GLOBAL') world USING (video_id, captured_on, bucket_sec)
             WHERE regions.viewers IS DISTINCT FROM hll_send(world.viewers) OR regions.plays IS DISTINCT FROM world.plays)
             + (SELECT count(*) FROM (
                SELECT video_id, captured_on, region, hll_send(hll_union_agg(viewers)) AS viewers, sum(plays) AS plays,
                    max(bucket_sec) AS last_sec
                FROM video_heatmap GROUP BY 1, 2, 3) fine
             FULL JOIN video_heatmap_whole whole USING (video_id, captured_on, region)
             WHERE fine.viewers IS DISTINCT FROM hll_send(whole.viewers) OR fine.plays IS DISTINCT FROM whole.plays
                OR fine.last_sec IS DISTINCT FROM whole.last_sec)",
            &[],
        )
        .await
        .expect("a comparison");
    assert_eq!(differing.get::<_, i64>(0), 0, "GLOBAL and whole videos");
}

fn compact_process(app: &App) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heatstrip"));
    command
        .args(["compact", "--through", YESTERDAY])
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

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_may_die_at_any_step() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(9);
    let mut sent = Vec::new();
    for point in CRASH_POINTS {
        let batch = heartbeats(&mut random, 300);
        send(&app, &batch).await;
        sent.extend(batch);
        app.fold().await;
        let before = everything(&app).await;
        let status =
            compact_process(&app).env("FAILPOINTS", format!("{point}=return")).status().expect("the program");
        assert!(!status.success(), "{point} was not passed");
        assert_eq!(everything(&app).await, before, "after dying at {point}");
    }
    assert!(compact_process(&app).status().expect("the program").success());
    assert_eq!(everything(&app).await, expected(&sent).await);
    assert_eq!(left(&sql).await, 0);
    assert_eq!(app.post("[]").await.status(), 422, "the API lives");
}

/// Killed at random while two workers write late heartbeats of the same day.
#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_may_be_killed_at_any_moment() {
    const KILLS: u32 = 50;
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let stop = CancellationToken::new();
    let workers = Store::connect(&app.database.url, 4).await.expect("a pool");
    for _ in 0..2 {
        tokio::spawn(worker::run(workers.clone(), app.clock.clone(), Duration::ZERO, stop.clone()));
    }
    let seed = 10;
    let mut random = StdRng::seed_from_u64(seed);
    let mut sent = Vec::new();
    let mut kills = 0;
    let started = Instant::now();
    while kills < KILLS {
        assert!(started.elapsed() < Duration::from_secs(120), "{kills} kills found work, seed {seed}");
        let batch = heartbeats(&mut random, 200);
        send(&app, &batch).await;
        sent.extend(batch);
        let mut compacting = compact_process(&app).spawn().expect("the program");
        let moment = Duration::from_millis(random.random_range(5..60));
        // The moment is what the test is about.
        tokio::time::sleep(moment).await;
        compacting.kill().expect("a signal");
        let ended_before = compacting.wait().expect("a status").success();
        if !ended_before && left(&sql).await > 0 {
            kills += 1;
        }
    }
    app.fold().await;
    stop.cancel();
    assert!(compact_process(&app).status().expect("the program").success());
    assert_eq!(everything(&app).await, expected(&sent).await);
    assert_eq!(left(&sql).await, 0);
}

#[tokio::test]
async fn a_second_compaction_waits_for_the_first() {
    let app = App::start(Settings::default()).await;
    let first = app.store.try_lock_compaction().await.expect("a look").expect("the lock");
    assert!(app.store.try_lock_compaction().await.expect("a look").is_none(), "one at a time");
    let store = app.store.clone();
    let second = tokio::spawn(async move { compaction::run(&store, day(YESTERDAY), |_| ()).await });
    drop(first);
    second.await.expect("no panic").expect("a compaction");
}

#[tokio::test]
async fn counts_stand_for_their_rows_until_something_comes_late() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let beat = |viewer: &str| json!([{"video_id": "v", "region": "JP", "start_sec": 0, "end_sec": 19, "viewer_id": viewer, "at": "2026-11-20T12:00:00Z"}]);
    send(&app, beat("w").as_array().expect("an array")).await;
    app.fold().await;
    let keep = nightly::Keep::default();
    nightly::run(&app.store, &app.clock, day(YESTERDAY), keep, |_| ()).await.expect("a night");
    // Only a count that is wrong can be told from its rows.
    sql.batch_execute("UPDATE video_heatmap_counts SET viewers[1] = 7").await.expect("an update");
    let peak =
        async |question: &str| app.json(&format!("/v1/videos/v/heatmap?{question}")).await["peak"].clone();
    for question in
        ["resolution=1", "resolution=5", "resolution=60", "region=JP", "from=2026-11-20&to=2026-11-20"]
    {
        assert_eq!(peak(question).await, 7, "{question}");
    }
    for question in ["resolution=10", "resolution=3600", "region=JP,KR"] {
        assert_eq!(peak(question).await, 1, "{question}");
    }
    send(&app, beat("x").as_array().expect("an array")).await;
    app.fold().await;
    assert_eq!(peak("resolution=5").await, 2, "what waits in the shards is not counted yet");
    compaction::run(&app.store, day(YESTERDAY), |_| ()).await.expect("a compaction");
    assert_eq!(peak("resolution=5").await, 2, "what was counted before is not any more");
    nightly::run(&app.store, &app.clock, day(YESTERDAY), keep, |_| ()).await.expect("a night");
    assert_eq!(count(&sql, "video_heatmap_counts").await, 3 * 2);
    assert_eq!(peak("resolution=5").await, 2);
}

/// DROP does not wait for snapshots: a read that began must keep the partitions it may have to look into.
#[tokio::test]
async fn no_partition_goes_while_a_strip_is_read() {
    let app = App::start(Settings::default()).await;
    send(&app, &heartbeats(&mut StdRng::seed_from_u64(11), 50)).await;
    app.fold().await;
    let reader = client(&app).await;
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.expect("a transaction");
    reader
        .batch_execute(heatstrip::heatmap::store::sql::PREPARE_READ)
        .await
        .expect("what every read begins with");

    let moved = compaction::run(&app.store, day(YESTERDAY), |_| ());
    // It waits for the reader, and then for no longer than it may.
    let ended = async {
        let rows = reader.query("SELECT FROM video_heatmap_shards WHERE captured_on = '2026-11-20'", &[]);
        let before = rows.await.expect("rows").len();
        reader.batch_execute("COMMIT").await.expect("the end");
        before
    };
    let (summary, before) = tokio::join!(moved, ended);
    assert!(before > 0);
    assert_eq!(summary.expect("a compaction").dropped, 1);

    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.expect("a transaction");
    reader
        .batch_execute(heatstrip::heatmap::store::sql::PREPARE_READ)
        .await
        .expect("what every read begins with");
    let late = json!([{"video_id": "v0", "start_sec": 0, "end_sec": 9, "viewer_id": "w", "at": "2026-11-20T12:00:00Z"}]);
    send(&app, late.as_array().expect("an array")).await;
    let refused = app.store.drop_shard_partition(day("2026-11-21")).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
}
