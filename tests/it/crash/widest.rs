//! The widest steps that there can be, told to stop in their midst: each is folded or undone within the time that a process
//! has to end, and every heartbeat counts once.

use std::{collections::BTreeMap, time::Duration};

use chrono::Utc;
use heatstrip::{
    events::{hashed::HashedHeartbeat, lane::lane},
    ingest::hash::Hashed,
    postgres::Store,
    queue::{Batch, Enqueued, batch_ids::Ring},
};
use tempfile::TempDir;
use tokio_postgres::Client;

use super::{
    GRACE,
    world::{connect, start, work},
};
use crate::support::{database, until};

/// As many heartbeats as a window takes, which cover as many seconds as it takes.
const HEARTBEATS: usize = 100_000;
const SECONDS: i32 = 80;
const BATCH: usize = 5_000;
const LANE: u16 = 3;
/// How long the rest may take to be folded.
const DRAIN: Duration = Duration::from_secs(120);

/// The shapes that are dearest: as many rows as there can be, and runs that are cut wherever somebody comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Each heartbeat is of another video.
    ManyVideos,
    /// All are of one video, and start at every second of a day.
    OneVideo,
}

async fn enqueue(store: &Store, shape: Shape) {
    let videos: Vec<String> = (0..)
        .map(|number| format!("{shape:?} {number}"))
        .filter(|video| lane(video, store.lanes()) == LANE)
        .take(if shape == Shape::OneVideo { 1 } else { HEARTBEATS })
        .collect();
    let heartbeat = |number: usize| {
        let start_sec = (number * 7_919 % (86_400 - SECONDS as usize)) as i32;
        HashedHeartbeat {
            video_id: &videos[number % videos.len()],
            region: "JP",
            captured_on: Utc::now().date_naive(),
            start_sec,
            end_sec: start_sec + SECONDS - 1,
            viewer_hash: (number as i64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64),
        }
    };
    for first in (0..HEARTBEATS).step_by(BATCH) {
        let lanes = BTreeMap::from([(LANE, (first..first + BATCH).map(heartbeat).collect())]);
        let hashed = Hashed { accepted: BATCH, rejected: Vec::new(), lanes };
        let batch = Batch { id: None, answer: hashed.answer(), lanes: hashed.lanes };
        let outcome = store.enqueue(Ring::Http, &[batch], Utc::now()).await;
        assert_eq!(outcome.expect("it is durable"), [Enqueued::New]);
    }
}

/// The seconds that were watched, as runs and spread blocks have them and as whole videos do.
async fn watched(sql: &Client) -> (i64, i64) {
    let row = sql
        .query_one(
            "SELECT (SELECT coalesce(sum(plays), 0)::bigint FROM (
                    SELECT plays * (end_sec - start_sec + 1) AS plays FROM video_heatmap_shards
                    UNION ALL SELECT plays * (end_sec - start_sec + 1) FROM video_heatmap_runs
                    UNION ALL SELECT plays FROM video_heatmap WHERE region <> 'GLOBAL') AS forms),
                (SELECT coalesce(sum(plays), 0)::bigint FROM video_heatmap_whole_shards)",
            &[],
        )
        .await
        .expect("the rows");
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn the_widest_step_told_to_stop_is_folded_or_undone() {
    let url = database().await.url;
    let (store, sql) = (Store::connect(&url, 2).await.expect("a store"), connect(&url).await);
    let logs = TempDir::new().expect("a directory");
    let (mut folded, mut amid) = (0, 0);
    // Each with the statement that the step is in when it is told.
    for (shape, statement) in [
        (Shape::ManyVideos, "claim_batches"),
        (Shape::ManyVideos, "append_watches"),
        (Shape::ManyVideos, "append_runs"),
        (Shape::OneVideo, "append_runs"),
    ] {
        enqueue(&store, shape).await;
        let log = logs.path().join(format!("{shape:?}-{statement}.log"));
        let mut worker = start(&["work", "--fold-wait-secs", "0"], &url, &log);
        let mut is_amid = false;
        until("the worker is amid the step, or has done it", DRAIN, async || {
            let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND application_name = 'heatstrip' AND state = 'active' AND query LIKE '-- ' || $1 || '%'";
            is_amid = sql.query_one(query, &[&statement]).await.expect("the activity").get::<_, i64>(0) > 0;
            (is_amid || work(&sql).await.queued == 0).then_some(())
        })
        .await;
        amid += u32::from(is_amid);
        // It ends in order: the process is killed behind GRACE, and says with its exit code that it was not.
        let took = worker.terminate(GRACE).await;
        until("its session has ended", GRACE, async || (work(&sql).await.steps == 0).then_some(())).await;
        let queued = work(&sql).await.queued;
        println!("{shape:?}, told in {statement}: ended after {took:?}, {queued} queued");
        assert!(queued == 0 || queued == HEARTBEATS as i64, "all of it or nothing: {queued}");
        let seconds = (folded + HEARTBEATS as i64 - queued) * i64::from(SECONDS);
        assert_eq!(watched(&sql).await, (seconds, seconds), "{shape:?}, {statement}");

        let mut rest = start(&["work", "--once"], &url, &log);
        assert!(rest.wait(DRAIN).await.success(), "{}", rest.log());
        folded += HEARTBEATS as i64;
        let seconds = folded * i64::from(SECONDS);
        assert_eq!(watched(&sql).await, (seconds, seconds), "{shape:?}, {statement}");
    }
    assert!(amid >= 2, "the blows fell beside the steps: {amid}");
}
