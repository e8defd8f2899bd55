//! A step or a request that cannot get on, and a process that ends in the middle of it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::Utc;
use heatstrip::{
    events::{hashed::HashedHeartbeat, lane::lane},
    import::replay,
    ingest::hash::Hashed,
    postgres::Store,
    queue::{Batch, Enqueued, batch_ids::Ring},
};
use tempfile::TempDir;
use tokio_postgres::Client;

use super::{
    GRACE,
    world::{connect, listening, start, waiting, work},
};
use crate::support::{Process, database, until};

/// A killed worker's lane: its session waits on the server for something else and does not read its socket.
#[tokio::test]
async fn a_worker_killed_amid_a_step_releases_its_lane_soon() {
    let stuck = Stuck::start().await;
    let mut worker = stuck.worker("killed").await;
    worker.kill().await;
    // While what it waited for is still locked: without client_connection_check_interval this takes until then.
    let released = stuck.until_lane_is_free().await;
    println!("the lane was free again after {released:?}");
    assert!(released < Duration::from_secs(5), "{released:?}");
    stuck.assert_another_worker_takes_over().await;
}

#[tokio::test]
async fn a_worker_told_to_stop_does_not_wait_for_a_step_without_end() {
    let stuck = Stuck::start().await;
    let mut worker = stuck.worker("stopped").await;
    let took = worker.terminate(GRACE).await;
    println!("it ended after {took:?}");
    stuck.until_lane_is_free().await;
    stuck.assert_another_worker_takes_over().await;
}

/// A queue whose step cannot get on, since somebody else holds the row it writes.
struct Stuck {
    url: String,
    store: Store,
    looker: Client,
    holder: Client,
    logs: TempDir,
}

impl Stuck {
    async fn start() -> Stuck {
        let url = database().await.url;
        let stuck = Stuck {
            store: Store::connect(&url, 2).await.expect("a migrated database"),
            looker: connect(&url).await,
            holder: connect(&url).await,
            logs: TempDir::new().expect("a directory"),
            url,
        };
        stuck.enqueue(1).await;
        let log = stuck.logs.path().join("first.log");
        let mut first = start(&["work", "--once"], &stuck.url, &log);
        assert!(first.wait(GRACE).await.success(), "{}", first.log());
        stuck
            .holder
            .batch_execute("BEGIN; SELECT FROM video_heatmap_whole_shards FOR UPDATE")
            .await
            .expect("the rows are held");
        stuck.enqueue(2).await;
        stuck
    }

    /// Queues heartbeats of one video, each of another viewer.
    async fn enqueue(&self, heartbeats: usize) {
        let video_id = "stuck";
        let lane = lane(video_id, self.store.lanes());
        let hashed = Hashed {
            accepted: heartbeats,
            rejected: Vec::new(),
            lanes: BTreeMap::from([(
                lane,
                (0..heartbeats as i64)
                    .map(|viewer_hash| HashedHeartbeat {
                        video_id,
                        region: "JP",
                        captured_on: Utc::now().date_naive(),
                        start_sec: 0,
                        end_sec: 9,
                        viewer_hash,
                    })
                    .collect(),
            )]),
        };
        let batch = Batch { id: None, answer: hashed.answer(), lanes: hashed.lanes };
        let outcome = self.store.enqueue(Ring::Http, &[batch], Utc::now()).await;
        assert_eq!(outcome.expect("it is durable"), [Enqueued::New]);
    }

    /// A worker in the middle of a step.
    async fn worker(&self, name: &str) -> Process {
        let log = self.logs.path().join(format!("{name}.log"));
        let worker = start(&["work", "--fold-wait-secs", "0"], &self.url, &log);
        until("the worker waits for the row", GRACE, async || {
            (waiting(&self.looker).await > 0 && work(&self.looker).await.steps == 1).then_some(())
        })
        .await;
        worker
    }

    async fn until_lane_is_free(&self) -> Duration {
        let began = Instant::now();
        until("the lane is free", Duration::from_secs(30), async || {
            (work(&self.looker).await.steps == 0).then_some(())
        })
        .await;
        assert_eq!(work(&self.looker).await.queued, 2, "its batch is queued again");
        began.elapsed()
    }

    async fn assert_another_worker_takes_over(&self) {
        let mut other = self.worker("other").await;
        self.holder.batch_execute("COMMIT").await.expect("the rows are free");
        until("the queue is empty", GRACE, async || (work(&self.looker).await.queued == 0).then_some(()))
            .await;
        other.terminate(GRACE).await;
        let row = self
            .looker
            .query_one(
                "SELECT w.plays = 30 AND hll_cardinality(w.viewers) = 2
                     AND (SELECT sum(plays * (end_sec - start_sec + 1)) = 30 FROM video_heatmap_shards)
                 FROM video_heatmap_whole_shards AS w",
                &[],
            )
            .await
            .expect("the rows");
        assert!(row.get::<_, bool>(0), "every heartbeat counts once");
    }
}

/// Neither requests nor what the API does now and then may keep it from ending.
#[tokio::test]
async fn an_api_told_to_stop_does_not_wait_for_a_database_that_hangs() {
    let url = database().await.url;
    let logs = TempDir::new().expect("a directory");
    let mut api = start(&["serve", "--listen", "127.0.0.1:0"], &url, &logs.path().join("api.log"));
    let address = listening(&api).await;
    let holder = connect(&url).await;
    holder
        .batch_execute("BEGIN; LOCK TABLE heartbeat_queue IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("the queue is held");
    let unanswered = tokio::spawn(
        replay::client()
            .post(format!("{address}/v1/heartbeats"))
            .body(r#"{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"me"}"#)
            .send(),
    );
    let looker = connect(&url).await;
    until("the API waits for the queue", GRACE, async || {
        // One for the request, one for the sample of the queue's depth.
        (waiting(&looker).await == 2).then_some(())
    })
    .await;
    println!("it ended after {:?}", api.terminate(GRACE).await);
    let answer = unanswered.await.expect("no panic");
    assert!(answer.is_err_and(|error| !error.is_timeout()), "nothing was acknowledged");
    // What it was waiting for ends with it, so the heartbeat is not counted either.
    until("its sessions are gone", GRACE, async || (waiting(&looker).await == 0).then_some(())).await;
    holder.batch_execute("COMMIT").await.expect("the queue is free");
    assert_eq!(work(&looker).await.queued, 0);
}

/// The job that stays gives up what it waits for; the server undoes it, and the next one goes on.
#[tokio::test]
async fn a_nightly_job_told_to_stop_does_not_wait_for_a_table_that_is_held() {
    let url = database().await.url;
    let logs = TempDir::new().expect("a directory");
    let looker = connect(&url).await;
    looker
        .batch_execute(
            "INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at, used_through)
             VALUES ('2026-01-01', '2026-01-01', 'daily', '\\x00', now(), '2026-01-01');
             UPDATE salt_epochs SET made_at = now() - interval '3 days'",
        )
        .await
        .expect("a salt whose time has come");
    let holder = connect(&url).await;
    holder
        .batch_execute("BEGIN; LOCK TABLE salt_epochs IN SHARE MODE")
        .await
        .expect("nobody can change the table");
    let arguments = ["compact", "--every-day-at", "03:30", "--metrics-listen", "127.0.0.1:0"];
    let mut nightly = start(&arguments, &url, &logs.path().join("nightly.log"));
    until("the job waits for the table", GRACE, async || (waiting(&looker).await > 0).then_some(())).await;
    let took = nightly.terminate(GRACE).await;
    println!("it ended after {took:?}");
    until("its session is gone", GRACE, async || (waiting(&looker).await == 0).then_some(())).await;
    holder.batch_execute("COMMIT").await.expect("the table is free");
    let row = looker.query_one("SELECT salt IS NOT NULL FROM salt_epochs", &[]).await.expect("one epoch");
    assert!(row.get::<_, bool>(0), "what was under way is undone");
}
