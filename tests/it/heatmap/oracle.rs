//! Random heartbeats through the queue, several workers and both kinds of rows; then every strip against plain sets.

mod expected;
mod rows;
mod small;
mod large;
mod seconds;
mod rotations;

use std::{ops::RangeInclusive, time::Duration};

use chrono::{NaiveDate, TimeDelta};
use heatstrip::{
    catalogue::durations::Durations,
    clock::Clock,
    events::heartbeat::Arrival,
    heatmap::{
        compaction,
        store::{
            pieces::{Limits, Rows, ShardKey},
            strips::StripQuery,
        },
        strip::{Strip, strip},
    },
    ingest::hash,
    postgres::Store,
    queue::{Batch, batch_ids::Ring},
    viewers::{
        epoch::Rotation,
        hash::Salt,
        salt::{SaltSource, Salts},
    },
    work::worker::{self, Step},
};
use rand::{Rng, RngExt, seq::SliceRandom};
use serde_json::json;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::support::{TestDatabase, database};

/// What a player says.
#[derive(Debug, Clone)]
struct Said {
    video: String,
    region: String,
    day: NaiveDate,
    secs: RangeInclusive<u32>,
    viewer: u32,
}

impl Said {
    fn json(&self) -> String {
        json!({
            "video_id": self.video, "region": self.region, "viewer_id": format!("viewer {}", self.viewer),
            "start_sec": self.secs.start(), "end_sec": self.secs.end(), "at": format!("{}T12:34:56Z", self.day),
        })
        .to_string()
    }
}

/// What chance decides about an audience.
struct Audience {
    videos: Vec<&'static str>,
    regions: Vec<&'static str>,
    days: Vec<NaiveDate>,
    viewers: u32,
    last_sec: u32,
    beats: usize,
}

impl Audience {
    fn says(&self, rng: &mut impl Rng) -> Vec<Said> {
        let mut said: Vec<Said> = Vec::new();
        while said.len() < self.beats {
            if !said.is_empty() && rng.random_bool(0.1) {
                // The same beat again: a retry without an id, or a replayed moment.
                said.push(said[rng.random_range(0..said.len())].clone());
                continue;
            }
            let start = rng.random_range(0..=self.last_sec);
            let end = (start + rng.random_range(0..60)).min(self.last_sec);
            said.push(Said {
                video: self.videos[rng.random_range(0..self.videos.len())].to_owned(),
                region: self.regions[rng.random_range(0..self.regions.len())].to_owned(),
                day: self.days[rng.random_range(0..self.days.len())],
                secs: start..=end,
                viewer: rng.random_range(0..self.viewers),
            });
        }
        said.shuffle(rng);
        said
    }
}

/// The engine under test.
struct Engine {
    _database: TestDatabase,
    sql: Client,
    store: Store,
    clock: Clock,
    salts: Salts,
    durations: Durations,
}

impl Engine {
    async fn start(now: &str, rotation: Rotation) -> Engine {
        let database = database().await;
        let sql = database.connect().await;
        let store = Store::connect(&database.url, 10).await.expect("a store");
        let clock = Clock::by_hand(now.parse().expect("an instant"));
        Engine {
            salts: Salts::new(store.clone(), SaltSource::Made(rotation), clock.clone()),
            durations: Durations::new(store.clone()),
            _database: database,
            sql,
            store,
            clock,
        }
    }

    /// Queues everything in batches of random sizes while workers fold.
    async fn count(&self, said: &[Said], workers: usize, max_batch: usize, rng: &mut impl Rng) {
        let ended = CancellationToken::new();
        let folding: Vec<_> = (0..workers)
            .map(|_| tokio::spawn(fold_until(ended.clone(), self.store.clone(), self.clock.clone())))
            .collect();
        let mut rest = said;
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at(rng.random_range(1..=max_batch.min(rest.len())));
            self.enqueue(batch).await;
            rest = behind;
        }
        ended.cancel();
        let mut folded = 0;
        for worker in folding {
            folded += worker.await.expect("a worker ends");
        }
        assert_eq!(folded, said.len(), "each heartbeat is folded once");
    }

    async fn enqueue(&self, said: &[Said]) {
        let texts: Vec<String> = said.iter().map(Said::json).collect();
        let arrival = Arrival {
            now: self.clock.now(),
            default_region: "ZZ".parse().expect("a region"),
            max_age: None,
            captured_on: None,
            terms: None,
        };
        let parsed = hash::parse(texts.iter().map(String::as_str), &arrival);
        let hashed = hash::hash(parsed, &arrival, &self.salts, &self.durations, self.store.lanes())
            .await
            .expect("salts");
        assert_eq!(hashed.accepted, said.len());
        let batch = Batch { id: None, answer: hashed.answer(), lanes: hashed.lanes };
        self.store.enqueue(Ring::Http, &[batch], self.clock.now()).await.expect("enqueued");
    }

    /// Compacts a share of each day's shard rows, as a job that dies on its way does. Some of the videos that have no
    /// canonical rows yet are seconds from their first one on.
    async fn compact_some(&self, share: f64) {
        for day in self.store.shard_days().await.expect("the days") {
            self.store.ensure_canonical_partition(day).await.expect("partitions");
            self.sql
                .execute(
                    "INSERT INTO video_heatmap_spread
                     SELECT DISTINCT video_id, captured_on, 0 FROM video_heatmap_shards AS s
                     WHERE captured_on = $1 AND hashtext(video_id || captured_on) % 3 = 0
                        AND NOT EXISTS (SELECT FROM video_heatmap_runs AS r WHERE r.video_id = s.video_id AND r.captured_on = $1)
                     ON CONFLICT DO NOTHING",
                    &[&day],
                )
                .await
                .expect("marks");
            for (kind, table) in
                [(Rows::Runs, "video_heatmap_shards"), (Rows::Whole, "video_heatmap_whole_shards")]
            {
                let count = format!("SELECT count(*) FROM {table} WHERE captured_on = $1");
                let rows: i64 = self.sql.query_one(&count, &[&day]).await.expect("a count").get(0);
                let limits = Limits { rows: (rows as f64 * share) as u64, seconds: 1_000_000, videos: 500 };
                compaction::step(&self.store, kind, day, &ShardKey::first(), limits).await.expect("a piece");
            }
        }
    }

    async fn strip(&self, asked: &StripQuery) -> Strip {
        let (range, rows) = self.store.read_strip(asked).await.expect("rows");
        strip(range, &rows)
    }

    /// First and last day, rotation and salt of each epoch.
    async fn epochs(&self) -> Vec<Epoch> {
        let rows = self
            .sql
            .query("SELECT first_day, last_day, rotation, salt, fingerprint IS NOT NULL AS given FROM salt_epochs ORDER BY 1", &[])
            .await
            .expect("epochs");
        rows.iter()
            .map(|row| Epoch {
                days: (row.get("first_day"), row.get("last_day")),
                rotation: row.get("rotation"),
                salt: row.get::<_, Option<Vec<u8>>>("salt").map(Salt::new),
                given: row.get("given"),
            })
            .collect()
    }
}

/// Steps until the input has ended and the queue is empty; returns how many heartbeats it folded.
async fn fold_until(ended: CancellationToken, store: Store, clock: Clock) -> usize {
    let mut folded = 0;
    loop {
        // In this order: what is queued before the end is seen.
        let last_look = ended.is_cancelled();
        match worker::step(&store, &clock, Duration::ZERO).await.expect("a step") {
            Step::Folded { heartbeats, failed, .. } => {
                assert_eq!(failed, 0);
                folded += heartbeats;
            }
            Step::Idle if last_look && store.queue_depth().await.expect("a depth").heartbeats == 0 => {
                return folded;
            }
            // Others are at it, or more is to come.
            Step::Idle => tokio::task::yield_now().await,
        }
    }
}

struct Epoch {
    days: (NaiveDate, NaiveDate),
    rotation: String,
    /// None where it is given by a setting, or destroyed.
    salt: Option<Salt>,
    given: bool,
}

impl Epoch {
    fn holds(&self, day: NaiveDate) -> bool {
        (self.days.0..=self.days.1).contains(&day)
    }
}

/// Questions about every video and every choice of regions, of random days.
fn questions(audience: &Audience, resolutions: &[u32], rng: &mut impl Rng) -> Vec<StripQuery> {
    let mut regions: Vec<Vec<&str>> = vec![vec!["GLOBAL"], audience.regions.clone()];
    regions.extend(audience.regions.iter().map(|&region| vec![region]));
    regions.push(audience.regions[..2].to_vec());
    regions.push(vec![audience.regions[0], "XX"]);
    regions.push(vec!["XX"]);
    let mut questions = Vec::new();
    for video in &audience.videos {
        for regions in &regions {
            for &resolution in resolutions {
                let day = |rng: &mut dyn Rng| audience.days[rng.random_range(0..audience.days.len())];
                let (a, b) = (day(rng), day(rng));
                let ranges = [
                    (None, None),
                    (Some(a.min(b)), Some(a.max(b))),
                    (Some(a), Some(a)),
                    (Some(audience.days[0]), None),
                    (None, audience.days.last().copied()),
                    (Some(audience.days[0] - TimeDelta::days(9)), Some(b)),
                ];
                // Two of them each time; of the second the catalogue knows where the video ends, or says so.
                for of_known_length in [false, true] {
                    let (from, to) = ranges[rng.random_range(0..ranges.len())];
                    let length_sec =
                        of_known_length.then(|| rng.random_range(1..audience.last_sec.max(2) * 5 / 4 + 2));
                    questions.push(StripQuery {
                        video_id: (*video).to_owned(),
                        regions: regions.iter().map(|&region| region.to_owned()).collect(),
                        resolution,
                        from,
                        to,
                        length_sec,
                    });
                }
            }
        }
    }
    questions
}
