//! The worker against poison, rivals, kills and large windows: nothing lost, nothing counted twice, nobody blocked.

mod poison;
mod regions;
mod days;
mod once;
mod lanes;
mod killed;
mod wait;
mod window;

use std::time::{Duration, Instant};

use heatstrip::{
    clock::Clock,
    events::hashed::{HashedHeartbeat, HashedHeartbeats},
    postgres::Store,
    work::worker::{self, Step},
};
use tokio_postgres::Client;

use crate::support::{TestDatabase, database};

/// How long anything that must happen may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A heartbeat as it stands in the queue; the day is a text that SQL reads, so that it may be anything.
#[derive(Clone)]
struct Queued {
    video: String,
    region: String,
    day: String,
    secs: (i32, i32),
    viewer: i64,
}

fn good(video: &str, viewer: i64) -> Queued {
    Queued { video: video.into(), region: "JP".into(), day: "2026-11-21".into(), secs: (0, 9), viewer }
}

struct Bench {
    database: TestDatabase,
    sql: Client,
    store: Store,
    clock: Clock,
}

impl Bench {
    async fn start() -> Bench {
        Bench::start_with("").await
    }

    /// With options that every session of the store gets.
    async fn start_with(options: &str) -> Bench {
        let database = database().await;
        let url = format!("{}&options={options}", database.url);
        Bench {
            sql: database.connect().await,
            store: Store::connect(&url, 12).await.expect("a store"),
            clock: Clock::by_hand("2026-11-21T10:00:00Z".parse().expect("an instant")),
            database,
        }
    }

    /// Adds a row to the queue.
    async fn queue(&self, lane: i16, beats: &[Queued]) {
        let heartbeat = |beat: &Queued| HashedHeartbeat {
            // Names that live as long as the process: a test makes few.
            video_id: beat.video.clone().leak(),
            region: beat.region.clone().leak(),
            captured_on: beat.day.parse().expect("a day"),
            start_sec: beat.secs.0,
            end_sec: beat.secs.1,
            viewer_hash: beat.viewer,
        };
        let heartbeats: HashedHeartbeats = beats.iter().map(heartbeat).collect();
        let insert = "INSERT INTO heartbeat_queue (lane, enqueued_at, heartbeats, watched_secs, payload)
                      VALUES ($1, '2026-11-21', $2, $3, $4)";
        let (many, watched) = (heartbeats.len() as i32, heartbeats.watched_secs() as i64);
        self.sql
            .execute(insert, &[&lane, &many, &watched, &heartbeats.as_bytes()])
            .await
            .expect("a queue row");
    }

    /// Adds a row to the queue as an earlier version wrote it.
    async fn queue_earlier(&self, lane: i16, beats: &[Queued]) {
        let insert = "
            INSERT INTO heartbeat_queue
                (lane, enqueued_at, heartbeats, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
            VALUES ($1, '2026-11-21', cardinality($2::text[]), $2, $3, $4::text[]::date[], $5, $6, $7)";
        let column =
            |of: fn(&Queued) -> &str| beats.iter().map(|beat| of(beat).to_owned()).collect::<Vec<_>>();
        let starts: Vec<i32> = beats.iter().map(|beat| beat.secs.0).collect();
        let ends: Vec<i32> = beats.iter().map(|beat| beat.secs.1).collect();
        let viewers: Vec<i64> = beats.iter().map(|beat| beat.viewer).collect();
        self.sql
            .execute(
                insert,
                &[
                    &lane,
                    &column(|beat| &beat.video),
                    &column(|beat| &beat.region),
                    &column(|beat| &beat.day),
                    &starts,
                    &ends,
                    &viewers,
                ],
            )
            .await
            .expect("a queue row");
    }

    async fn step(&self) -> Step {
        worker::step(&self.store, &self.clock, Duration::ZERO).await.expect("a step")
    }

    async fn run_once(&self) -> u64 {
        tokio::time::timeout(DEADLINE, worker::run_once(&self.store, &self.clock))
            .await
            .expect("the queue is folded in time")
            .expect("the queue is folded")
    }

    async fn count(&self, query: &str) -> i64 {
        self.sql.query_one(query, &[]).await.expect("a count").get(0)
    }

    async fn queued(&self) -> i64 {
        self.count("SELECT coalesce(sum(heartbeats), 0)::bigint FROM heartbeat_queue").await
    }

    /// The plays of a video, and its distinct viewers.
    async fn counted(&self, video: &str) -> (i64, i64) {
        let row = self
            .sql
            .query_one(
                "SELECT coalesce(sum(plays * (end_sec - start_sec + 1)), 0)::bigint, coalesce(hll_cardinality(hll_union_agg(viewers)), 0)::bigint
                 FROM video_heatmap_shards WHERE video_id = $1",
                &[&video],
            )
            .await
            .expect("counts");
        (row.get(0), row.get(1))
    }

    /// Waits until as many sessions of the store wait for a lock, and returns the first one's process.
    async fn blocked(&self, sessions: i64) -> i32 {
        let query = "SELECT count(*), min(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'heatstrip'";
        let started = Instant::now();
        loop {
            let row = self.sql.query_one(query, &[]).await.expect("the activity");
            if row.get::<_, i64>(0) == sessions {
                return row.get(1);
            }
            assert!(started.elapsed() < DEADLINE, "nobody waits for the lock");
        }
    }
}
