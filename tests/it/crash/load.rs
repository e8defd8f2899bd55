//! Clients that send batches until each is accepted, and the oracle: what the database must hold afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use heatstrip::import::replay::client;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::moment;

/// Stands in every viewer id and must stand nowhere else. Short: compression cuts longer texts into pieces.
pub const VIEWER_CANARY: &str = "Zq7Kv9";
/// Stands in every video id, which may be stored: shows that the search for the other one can find something.
pub const VIDEO_CANARY: &str = "Vw3Xj5";
/// Few enough that every sketch is an exact set.
const VIEWERS: u32 = 200;
const VIDEOS: u32 = 24;
const REGIONS: [&str; 3] = ["JP", "DE", "US"];
/// Length of the videos.
const SECONDS: i32 = 90;
const BATCH: usize = 50;
const CLIENTS: u64 = 6;
/// Shorter than the server waits for a commit: a client may give up and send again what is still on its way.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// A batch that is not accepted for so long will never be.
const PATIENCE: Duration = Duration::from_secs(60);

struct Beat {
    video: u32,
    region: &'static str,
    at: DateTime<Utc>,
    start_sec: i32,
    end_sec: i32,
    viewer: u32,
}

/// The name of a viewer.
pub fn viewer_id(viewer: u32) -> String {
    format!("{VIEWER_CANARY}-{viewer}")
}

fn video_id(video: u32) -> String {
    format!("{VIDEO_CANARY}-{video}")
}

impl Beat {
    fn any(rng: &mut ChaCha8Rng, now: DateTime<Utc>) -> Beat {
        let start_sec = rng.random_range(0..SECONDS - 20);
        Beat {
            video: rng.random_range(0..VIDEOS),
            region: REGIONS[rng.random_range(0..REGIONS.len())],
            // Two days: their partitions and salts are made amid the crashes.
            at: now - TimeDelta::days(rng.random_range(0..2)),
            start_sec,
            end_sec: start_sec + rng.random_range(0..20),
            viewer: rng.random_range(0..VIEWERS),
        }
    }

    fn json(&self) -> Value {
        json!({
            "video_id": video_id(self.video), "region": self.region, "at": self.at,
            "start_sec": self.start_sec, "end_sec": self.end_sec, "viewer_id": viewer_id(self.viewer),
        })
    }
}

/// What one second of a video is to have: plays, and viewers in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Second {
    pub plays: i64,
    pub viewers: BTreeSet<u32>,
}

/// Video, day, region and second.
pub type Key = (String, NaiveDate, &'static str, i32);

/// What the load is doing, for the test to look at.
#[derive(Default)]
pub struct Load {
    stop: AtomicBool,
    /// Requests without an answer yet.
    pub in_flight: AtomicUsize,
    /// Batches that were accepted.
    pub batches: AtomicU64,
    /// Heartbeats that were accepted.
    pub heartbeats: AtomicU64,
    /// Requests that had to be sent again.
    pub retries: AtomicU64,
    /// Batches that had been accepted although their sender did not hear so.
    pub duplicates: AtomicU64,
}

/// The clients; what they sent is theirs to tell.
pub struct Clients {
    pub load: Arc<Load>,
    tasks: JoinSet<Vec<Beat>>,
}

impl Clients {
    /// Starts sending to the API at `url`.
    pub fn start(url: &str, seed: u64) -> Clients {
        let load = Arc::<Load>::default();
        let now = Utc::now();
        let mut tasks = JoinSet::new();
        for client in 0..CLIENTS {
            let rng = ChaCha8Rng::seed_from_u64(seed ^ (client + 1));
            tasks.spawn(send(Arc::clone(&load), format!("{url}/v1/heartbeats"), now, rng));
        }
        Clients { load, tasks }
    }

    /// Fails the test if a client gave up.
    pub fn assert_run(&mut self) {
        if let Some(ended) = self.tasks.try_join_next() {
            ended.expect("no client gives up");
            panic!("a client ended by itself");
        }
    }

    /// Waits until what is being sent is accepted, and tells what must have come of it all.
    pub async fn finish(self) -> BTreeMap<Key, Second> {
        self.load.stop.store(true, Ordering::Relaxed);
        let mut oracle = BTreeMap::<Key, Second>::new();
        for beat in self.tasks.join_all().await.into_iter().flatten() {
            let (video_id, day) = (video_id(beat.video), beat.at.date_naive());
            for second in beat.start_sec..=beat.end_sec {
                let second = oracle.entry((video_id.clone(), day, beat.region, second)).or_default();
                second.plays += 1;
                second.viewers.insert(beat.viewer);
            }
        }
        oracle
    }
}

async fn send(load: Arc<Load>, url: String, now: DateTime<Utc>, mut rng: ChaCha8Rng) -> Vec<Beat> {
    let client = client();
    let mut sent = Vec::new();
    while !load.stop.load(Ordering::Relaxed) {
        let id = Uuid::from_u128(rng.random());
        let single = rng.random_bool(0.5);
        let beats: Vec<Beat> =
            (0..if single { 1 } else { BATCH }).map(|_| Beat::any(&mut rng, now)).collect();
        let request = client.post(&url).timeout(ANSWER_WAIT);
        // Both ways to name a batch.
        let request = if single {
            request.header("idempotency-key", id.to_string()).json(&beats[0].json())
        } else {
            let heartbeats: Vec<Value> = beats.iter().map(Beat::json).collect();
            request.json(&json!({"batch_id": id, "heartbeats": heartbeats}))
        };
        send_until_accepted(&load, &request, beats.len() as u64, &mut rng).await;
        load.heartbeats.fetch_add(beats.len() as u64, Ordering::Relaxed);
        load.batches.fetch_add(1, Ordering::Relaxed);
        sent.extend(beats);
    }
    sent
}

async fn send_until_accepted(load: &Load, request: &RequestBuilder, heartbeats: u64, rng: &mut ChaCha8Rng) {
    let began = Instant::now();
    loop {
        load.in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = ask(request.try_clone().expect("a body in memory")).await;
        load.in_flight.fetch_sub(1, Ordering::Relaxed);
        match answer {
            Ok((StatusCode::ACCEPTED, body)) => {
                let body: Value = serde_json::from_str(&body).expect("JSON");
                assert_eq!(body["accepted"], heartbeats, "{body}");
                assert_eq!(body["rejected"], json!([]));
                if body["duplicate"] == true {
                    load.duplicates.fetch_add(1, Ordering::Relaxed);
                }
                return;
            }
            // The answers after which a client is to try again, and no answer at all.
            Ok((StatusCode::SERVICE_UNAVAILABLE, _)) | Err(_) => {
                load.retries.fetch_add(1, Ordering::Relaxed);
            }
            Ok((status, body)) => panic!("{status}: {body}"),
        }
        assert!(began.elapsed() < PATIENCE, "not accepted for {PATIENCE:?}");
        moment(rng, 100).await;
    }
}

async fn ask(request: RequestBuilder) -> reqwest::Result<(StatusCode, String)> {
    let response = request.send().await?;
    // An answer that breaks off is none.
    Ok((response.status(), response.text().await?))
}
