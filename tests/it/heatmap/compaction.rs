//! Compaction changes no strip: not before, not during, not after, not when it dies.

mod crashes;
mod epochs;
mod forgotten;
mod migrated;
mod plans;
mod races;
mod spread;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use heatstrip::{
    heatmap::{
        compaction::{self, Step},
        store::pieces::{Limits, Rows, ShardKey},
    },
    postgres::Store,
    work::nightly,
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use super::levels::assert_levels_agree;
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
    for video in ["popular", "tail", "long"] {
        paths.push(format!("/v1/videos/{video}/regions"));
        paths.push(format!("/v1/videos/{video}/ledger"));
        paths.extend(QUESTIONS.iter().map(|question| format!("/v1/videos/{video}/heatmap?{question}")));
    }
    for path in paths {
        let mut answer = app.json(&path).await;
        answer.as_object_mut().expect("an object").remove("generated_at");
        answers.insert(path, answer);
    }
    answers
}

/// Heartbeats of today and yesterday, some by the same viewers: short ones of a popular video, whose first block is spread
/// after some hundred, longer ones of another, and such as cross the edge of a block.
fn heartbeats(random: &mut impl Rng, many: usize) -> Vec<Value> {
    let mut heartbeat = || {
        let (video, starts, secs) =
            [("popular", 0..700, 6), ("tail", 0..150, 30), ("long", 3_500..3_660, 90)]
                [[0, 0, 1, 2][random.random_range(0..4)]]
            .clone();
        let start = random.random_range(starts);
        json!({
            "video_id": video,
            "region": (["JP", "KR", "US"][random.random_range(0..3)]),
            "start_sec": start,
            "end_sec": start + random.random_range(0..secs),
            "viewer_id": format!("w{}", random.random_range(0..250)),
            "at": (["2026-11-20T12:00:00Z", "2026-11-21T09:00:00Z"][random.random_range(0..2)]),
        })
    };
    (0..many).map(|_| heartbeat()).collect()
}

/// Moves a day's runs in pieces of at most so many rows; `looks` hears of each.
async fn in_pieces(
    store: &Store,
    rows: Rows,
    on: &str,
    limits: Limits,
    mut looks: impl AsyncFnMut(u64),
) -> u64 {
    store.ensure_canonical_partition(day(on)).await.expect("partitions");
    let (mut from, mut pieces) = (ShardKey::first(), 0);
    while let Step::Moved(piece) =
        compaction::step(store, rows, day(on), &from, limits).await.expect("a piece")
    {
        from = piece.end;
        pieces += 1;
        looks(pieces).await;
    }
    pieces
}

/// How many blocks are spread, and how many rows there are of each form.
async fn forms(sql: &Client) -> [i64; 5] {
    let mut counts = [0; 5];
    for (count_of, table) in counts.iter_mut().zip([
        "video_heatmap_spread",
        "video_heatmap_runs",
        "video_heatmap",
        "video_heatmap_shards",
        "video_heatmap_second_shards",
    ]) {
        *count_of = count(sql, table).await;
    }
    counts
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
    let mut spread = Vec::new();
    for round in 0..4 {
        send(&app, &heartbeats(&mut random, 500)).await;
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
        assert_levels_agree(&sql).await;
        // Yesterday's epoch is over: counted, it answers the same.
        let keep = nightly::Keep::default();
        nightly::run(&app.store, &app.clock, through, keep, |_| ()).await.expect("a night");
        let is_spread = count(&sql, "video_heatmap_spread WHERE captured_on = '2026-11-20'").await;
        spread.push(is_spread);
        let counted = "video_heatmap_counts WHERE first_day = '2026-11-20' AND video_id = 'popular'";
        assert_eq!(count(&sql, counted).await, is_spread * 4 * 3, "round {round}");
        assert_eq!(count(&sql, "video_heatmap_counts").await, is_spread * 4 * 3, "round {round}");
        assert_eq!(everything(&app).await, before, "round {round}, counted");
    }
    assert_eq!((spread[0], spread[3]), (0, 1), "runs first, and seconds in the end: {spread:?}");
    compaction::run(&app.store, day("2026-11-21"), |_| ()).await.expect("a compaction");
    let left = count(&sql, "video_heatmap_whole_shards").await + count(&sql, "video_heatmap_growth").await;
    assert_eq!((left, &forms(&sql).await[3..]), (0, &[0, 0][..]));
    assert_levels_agree(&sql).await;
}

#[tokio::test]
async fn no_strip_changes_while_pieces_are_moved() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    let mut random = StdRng::seed_from_u64(8);
    send(&app, &heartbeats(&mut random, 2_000)).await;
    app.fold().await;
    super::forms::to_earlier_form(&sql, YESTERDAY, "KR").await;
    let before = everything(&app).await;
    // Pieces so small that a strip lies in many of them; each bound is the one that ends them once.
    let all = Limits { rows: 10_000, seconds: 1_000_000, videos: 500 };
    for (rows, limits, least) in [
        (Rows::Runs, Limits { seconds: 150, ..all }, 10),
        (Rows::Seconds, Limits { rows: 67, ..all }, 10),
        (Rows::Whole, Limits { rows: 2, ..all }, 4),
    ] {
        let pieces = in_pieces(&app.store, rows, YESTERDAY, limits, async |piece| {
            if piece % 9 == 1 {
                assert_eq!(everything(&app).await, before, "after piece {piece} of {rows:?}");
                assert_levels_agree(&sql).await;
            }
        })
        .await;
        assert!(pieces >= least, "{pieces} pieces of {rows:?}");
        assert_eq!(everything(&app).await, before, "{rows:?}");
    }
    assert_eq!(count(&sql, "video_heatmap_spread").await, 1, "it was spread on the way");
    let left = count(&sql, "video_heatmap_shards WHERE captured_on = '2026-11-20'").await
        + count(&sql, "video_heatmap_second_shards").await;
    assert_eq!(left, 0);
    assert_levels_agree(&sql).await;

    // Of today by the video: each piece has one.
    let pieces =
        in_pieces(&app.store, Rows::Runs, "2026-11-21", Limits { videos: 1, ..all }, async |_| ()).await;
    assert_eq!(pieces, 3);
    assert_eq!(everything(&app).await, before);
}

/// A night of more videos than a piece takes.
#[tokio::test]
async fn a_night_moves_several_pieces() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    sql.batch_execute(
        "SELECT ensure_shard_partition('2026-11-20');
         INSERT INTO video_heatmap_shards
            SELECT 'v' || v, '2026-11-20', 'JP', s * 10, s * 10 + 19, hll_add(hll_empty(12, 5), hll_hash_bigint(v)), 1
            FROM generate_series(1, 1201) v, generate_series(0, 1) s;
         INSERT INTO video_heatmap_whole_shards
            SELECT 'v' || v, '2026-11-20', 'JP', 29, hll_add(hll_empty(12, 5), hll_hash_bigint(v)), 40
            FROM generate_series(1, 1201) v",
    )
    .await
    .expect("shard runs");
    let mut pieces = Vec::new();
    let summary =
        compaction::run(&app.store, day(YESTERDAY), |rows| pieces.push(rows)).await.expect("a night");
    assert_eq!((pieces, summary.rows), (vec![1_000, 1_000, 402, 500, 500, 201], 2_402 + 1_201));
    // The overlap of each two is a run of its own, with two plays.
    assert_eq!(forms(&sql).await, [0, 3 * 1_201, 0, 0, 0]);
    assert_eq!(app.json("/v1/videos/v77/heatmap").await["seconds_played"], 40);
    assert_levels_agree(&sql).await;
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
    let sql = client(&app).await;
    sql.batch_execute("SET lock_timeout = '20ms'").await.expect("no patience");
    sql.batch_execute("SELECT drop_shard_partition('2026-11-21')").await.expect_err("it is in use");
}
