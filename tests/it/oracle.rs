//! Random heartbeats through the queue, several workers and both kinds of rows; then every strip against plain sets.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{NaiveDate, TimeDelta};
use heatstrip::{
    clock::Clock,
    compaction,
    heartbeat::{Arrival, ViewerId},
    intake,
    salt::{SaltSource, Salts},
    salt_epoch::Rotation,
    sketch::{element, encode},
    store::{
        Store,
        batch_ids::Ring,
        canonical::{Rows, ShardKey},
        queue::Batch,
        strips::StripQuery,
    },
    strip::{Scope, Strip, strip},
    viewer_hash::{Salt, viewer_hash},
    worker::{self, Step},
};
use rand::{Rng, RngExt, seq::SliceRandom};
use serde_json::json;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::support::{TestDatabase, chance, database};

/// What a player says.
#[derive(Debug, Clone)]
struct Said {
    video: String,
    region: String,
    day: NaiveDate,
    secs: std::ops::RangeInclusive<u32>,
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
}

impl Engine {
    async fn start(now: &str, rotation: Rotation) -> Engine {
        let database = database().await;
        let sql = database.connect().await;
        let store = Store::connect(&database.url, 10).await.expect("a store");
        let clock = Clock::by_hand(now.parse().expect("an instant"));
        Engine {
            salts: Salts::new(store.clone(), SaltSource::Made(rotation), clock.clone()),
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
        };
        let hashed =
            intake::hash(texts.iter().map(String::as_str), &arrival, &self.salts, self.store.lanes())
                .await
                .expect("salts");
        assert_eq!(hashed.accepted, said.len());
        let batch = Batch { id: None, answer: hashed.answer(), lanes: hashed.lanes };
        self.store.enqueue(Ring::Http, &[batch], self.clock.now()).await.expect("enqueued");
    }

    /// Compacts a share of each day's shard rows, as a job that dies on its way does.
    async fn compact_some(&self, share: f64) {
        for found in self.store.shard_days().await.expect("the days") {
            self.store.ensure_canonical_partition(found.day).await.expect("partitions");
            for (kind, table) in
                [(Rows::Seconds, "video_heatmap_shards"), (Rows::Whole, "video_heatmap_whole_shards")]
            {
                let count = format!("SELECT count(*) FROM {table} WHERE captured_on = $1");
                let rows: i64 = self.sql.query_one(&count, &[&found.day]).await.expect("a count").get(0);
                let some = (rows as f64 * share) as u64;
                compaction::step(&self.store, kind, found.day, &ShardKey::first(), some)
                    .await
                    .expect("a piece");
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
            .query("SELECT first_day, last_day, rotation, salt FROM salt_epochs ORDER BY 1", &[])
            .await
            .expect("epochs");
        rows.iter()
            .map(|row| Epoch {
                days: (row.get("first_day"), row.get("last_day")),
                rotation: row.get("rotation"),
                salt: Salt::new(row.get("salt")),
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
        match worker::step(&store, &clock).await.expect("a step") {
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
    salt: Salt,
}

impl Epoch {
    fn holds(&self, day: NaiveDate) -> bool {
        (self.days.0..=self.days.1).contains(&day)
    }
}

/// What a strip must say, from the input alone.
struct Expected<'a> {
    said: Vec<&'a Said>,
    epochs: &'a [Epoch],
    days: (NaiveDate, NaiveDate),
    resolution: u32,
}

impl<'a> Expected<'a> {
    fn of(said: &'a [Said], epochs: &'a [Epoch], asked: &StripQuery) -> Self {
        let of_video = || said.iter().filter(|beat| beat.video == asked.video_id);
        let days = (
            asked.from.or(of_video().map(|beat| beat.day).min()).expect("a day"),
            asked.to.or(of_video().map(|beat| beat.day).max()).expect("a day"),
        );
        let in_regions = |beat: &&Said| asked.regions == ["GLOBAL"] || asked.regions.contains(&beat.region);
        Expected {
            said: of_video()
                .filter(in_regions)
                .filter(|beat| (days.0..=days.1).contains(&beat.day))
                .collect(),
            epochs,
            days,
            resolution: asked.resolution,
        }
    }

    fn last_sec(&self) -> Option<u32> {
        self.said.iter().map(|beat| *beat.secs.end()).max()
    }

    fn scope(&self) -> Scope {
        let touched =
            self.epochs.iter().filter(|epoch| epoch.days.0 <= self.days.1 && epoch.days.1 >= self.days.0);
        let rotations: Vec<&str> = touched.map(|epoch| epoch.rotation.as_str()).collect();
        let all = |name| rotations.iter().all(|&rotation| rotation == name);
        match rotations.len() {
            _ if self.said.is_empty() => Scope::Viewers,
            0 | 1 => Scope::Viewers,
            _ if all("daily") => Scope::ViewerDays,
            _ if all("weekly") => Scope::ViewerWeeks,
            _ if all("monthly") => Scope::ViewerMonths,
            _ => Scope::ViewerEpochs,
        }
    }

    /// Distinct viewers of the seconds, epoch by epoch: the sizes of the sets.
    fn sets(&self, secs: std::ops::RangeInclusive<u32>) -> Vec<usize> {
        let present = |epoch: &Epoch| {
            let beats = self.said.iter().filter(|beat| {
                epoch.holds(beat.day) && beat.secs.start() <= secs.end() && beat.secs.end() >= secs.start()
            });
            beats.map(|beat| beat.viewer).collect::<BTreeSet<u32>>().len()
        };
        self.epochs.iter().map(present).collect()
    }

    fn viewers(&self, secs: std::ops::RangeInclusive<u32>) -> u64 {
        self.sets(secs).iter().sum::<usize>() as u64
    }

    fn seconds_played(&self, secs: std::ops::RangeInclusive<u32>) -> u64 {
        let overlap = |beat: &&&Said| {
            let (first, last) = (*beat.secs.start().max(secs.start()), *beat.secs.end().min(secs.end()));
            u64::from((last + 1).saturating_sub(first))
        };
        self.said.iter().map(|beat| overlap(&beat)).sum()
    }

    /// Each bucket's seconds; the last ends with the last watched one.
    fn buckets(&self) -> Vec<std::ops::RangeInclusive<u32>> {
        let Some(last_sec) = self.last_sec() else {
            return Vec::new();
        };
        (0..=last_sec / self.resolution)
            .map(|bucket| bucket * self.resolution..=((bucket + 1) * self.resolution - 1).min(last_sec))
            .collect()
    }
}

/// 4 decimals, half away from zero, taken from the decimal digits.
fn four_decimals(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let digits = part * 100_000 / whole;
    let up = u64::from(digits % 10 >= 5);
    format!("{}.{:04}", (digits / 10 + up) / 10_000, (digits / 10 + up) % 10_000).parse().expect("a number")
}

fn questions(audience: &Audience, rng: &mut impl Rng) -> Vec<StripQuery> {
    let mut regions: Vec<Vec<&str>> = vec![vec!["GLOBAL"], audience.regions.clone()];
    regions.extend(audience.regions.iter().map(|&region| vec![region]));
    regions.push(audience.regions[..2].to_vec());
    regions.push(vec![audience.regions[0], "XX"]);
    regions.push(vec!["XX"]);
    let mut questions = Vec::new();
    for video in &audience.videos {
        for regions in &regions {
            for resolution in [1, 5, 7, 60, 3600] {
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
                // Two of them each time.
                for _ in 0..2 {
                    let (from, to) = ranges[rng.random_range(0..ranges.len())];
                    questions.push(StripQuery {
                        video_id: (*video).to_owned(),
                        regions: regions.iter().map(|&region| region.to_owned()).collect(),
                        resolution,
                        from,
                        to,
                    });
                }
            }
        }
    }
    questions
}

/// The union of all rows of a second is the sketch of exactly those who were there, its plays are exact.
async fn assert_rows(engine: &Engine, said: &[Said]) {
    let epochs = engine.epochs().await;
    type Second = (String, String, NaiveDate, i32);
    let mut expected: BTreeMap<Second, (BTreeSet<i64>, i64)> = BTreeMap::new();
    let mut elements: HashMap<(u32, usize), i64> = HashMap::new();
    for beat in said {
        let epoch = epochs.iter().position(|epoch| epoch.holds(beat.day)).expect("the epoch of a day");
        let element = *elements.entry((beat.viewer, epoch)).or_insert_with(|| {
            let viewer = format!("viewer {}", beat.viewer);
            element(viewer_hash(&ViewerId::new(viewer), &epochs[epoch].salt))
        });
        for sec in beat.secs.clone() {
            for region in [beat.region.as_str(), "GLOBAL"] {
                let key = (beat.video.clone(), region.to_owned(), beat.day, sec as i32);
                let (viewers, plays) = expected.entry(key).or_default();
                viewers.insert(element);
                *plays += 1;
            }
        }
    }
    let query = "
        SELECT video_id, region, captured_on, bucket_sec, hll_send(hll_union_agg(viewers)) AS sketch, sum(plays)::bigint AS plays
        FROM (
            SELECT video_id, region, captured_on, bucket_sec, viewers, plays FROM video_heatmap_shards
            UNION ALL
            SELECT video_id, 'GLOBAL', captured_on, bucket_sec, viewers, plays FROM video_heatmap_shards
            UNION ALL
            SELECT video_id, region, captured_on, bucket_sec, viewers, plays FROM video_heatmap
        ) AS rows
        GROUP BY 1, 2, 3, 4";
    let rows = engine.sql.query(query, &[]).await.expect("all rows");
    assert_eq!(rows.len(), expected.len());
    for row in rows {
        let key = (row.get(0), row.get(1), row.get(2), row.get(3));
        let (viewers, plays) = &expected[&key];
        let viewers: Vec<i64> = viewers.iter().copied().collect();
        assert!(row.get::<_, Vec<u8>>("sketch") == encode(&viewers), "the viewers of {key:?}");
        assert_eq!(row.get::<_, i64>("plays"), *plays, "the plays of {key:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_audiences_are_counted_exactly() {
    let mut rng = chance();
    let rotations = [Rotation::Daily, Rotation::Weekly, Rotation::Monthly, Rotation::Never];
    for round in 0..3 {
        let rotation = rotations[rng.random_range(0..rotations.len())];
        let first: NaiveDate = "2026-10-26".parse().expect("a day");
        let audience = Audience {
            videos: vec!["a", "B", "视频/1?#%", "a b"],
            regions: vec!["AA", "JP", "ZZ-9"],
            days: (0..9).map(|day| first + TimeDelta::days(day)).collect(),
            viewers: rng.random_range(1..=320),
            last_sec: rng.random_range(1..200),
            beats: 1_500,
        };
        let engine = Engine::start("2026-11-20T10:00:00Z", rotation).await;
        // Kinds of epochs that mix: the setting was changed, and a day was opened before.
        if round > 0 {
            let other =
                Salts::new(engine.store.clone(), SaltSource::Made(Rotation::Daily), engine.clock.clone());
            other.salt(audience.days[4]).await.expect("a salt");
        }
        let said = audience.says(&mut rng);
        let workers = rng.random_range(1..=4);
        let max_batch = [1, 40, 600][round];
        let shown = format!("{rotation}, {workers} workers, batches of up to {max_batch}");
        println!("{shown}");
        let beats = if max_batch == 1 { &said[..300] } else { &said[..] };
        let (early, late) = beats.split_at(beats.len() / 2);
        engine.count(early, workers, max_batch, &mut rng).await;
        engine.compact_some(rng.random()).await;
        engine.count(late, workers, max_batch, &mut rng).await;
        engine.compact_some(rng.random_range(0.0..0.5)).await;
        assert_rows(&engine, beats).await;

        let epochs = engine.epochs().await;
        for asked in questions(&audience, &mut rng) {
            if !beats.iter().any(|beat| beat.video == asked.video_id) {
                continue;
            }
            let strip = engine.strip(&asked).await;
            let expected = Expected::of(beats, &epochs, &asked);
            let buckets = expected.buckets();
            let peak = buckets.iter().map(|secs| expected.viewers(secs.clone())).max().unwrap_or(0);
            let last_sec = expected.last_sec().unwrap_or(0);
            assert_eq!(
                (strip.video_id, strip.regions, strip.resolution),
                (asked.video_id.clone(), asked.regions.clone(), asked.resolution)
            );
            assert_eq!((strip.from, strip.to), (Some(expected.days.0), Some(expected.days.1)), "{asked:?}");
            assert_eq!(strip.scope, expected.scope(), "{asked:?}");
            assert_eq!((strip.exact, strip.relative_error), (true, 0.0), "{asked:?}");
            assert_eq!(strip.viewers, expected.viewers(0..=last_sec), "{asked:?}");
            assert_eq!(strip.seconds_played, expected.seconds_played(0..=last_sec), "{asked:?}");
            assert_eq!(strip.peak, peak, "{asked:?}");
            assert_eq!(strip.buckets.len(), buckets.len(), "{asked:?}");
            for (bucket, secs) in strip.buckets.iter().zip(buckets) {
                let (viewers, played) =
                    (expected.viewers(secs.clone()), expected.seconds_played(secs.clone()));
                let seconds = u64::from(secs.end() - secs.start() + 1);
                assert_eq!(bucket.bucket, *secs.start(), "{asked:?}");
                assert_eq!(bucket.viewers, viewers, "{asked:?} {secs:?}");
                assert_eq!(bucket.seconds_played, played, "{asked:?} {secs:?}");
                assert_eq!(bucket.replay, four_decimals(played, seconds * viewers), "{asked:?} {secs:?}");
                assert_eq!(bucket.retention, four_decimals(viewers, peak), "{asked:?} {secs:?}");
                assert_eq!(bucket.reached, expected.viewers(*secs.start()..=last_sec), "{asked:?} {secs:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_audiences_are_estimated_within_the_error() {
    let mut rng = chance();
    let first: NaiveDate = "2026-11-16".parse().expect("a day");
    let audience = Audience {
        videos: vec!["large"],
        regions: vec!["JP", "KR"],
        days: (0..3).map(|day| first + TimeDelta::days(day)).collect(),
        viewers: 7_000,
        last_sec: 89,
        beats: 24_000,
    };
    let engine = Engine::start("2026-11-20T10:00:00Z", Rotation::Weekly).await;
    let said = audience.says(&mut rng);
    let (early, late) = said.split_at(said.len() / 2);
    engine.count(early, 2, 3_000, &mut rng).await;
    engine.compact_some(0.4).await;
    engine.count(late, 3, 3_000, &mut rng).await;
    engine.compact_some(0.3).await;
    assert_rows(&engine, &said).await;

    let epochs = engine.epochs().await;
    for (regions, resolution, day) in [
        (vec!["GLOBAL"], 1, None),
        (vec!["GLOBAL"], 5, None),
        (vec!["JP"], 1, None),
        (vec!["JP", "KR"], 7, None),
        (vec!["KR"], 60, Some(first)),
        (vec!["GLOBAL"], 3600, None),
    ] {
        let asked = StripQuery {
            video_id: "large".into(),
            regions: regions.into_iter().map(str::to_owned).collect(),
            resolution,
            from: day,
            to: day,
        };
        let strip = engine.strip(&asked).await;
        let expected = Expected::of(&said, &epochs, &asked);
        let near = |estimate: u64, truth: u64| estimate.abs_diff(truth) as f64 <= truth as f64 * 0.08;
        assert_eq!((strip.exact, strip.relative_error), (false, 0.01625), "{asked:?}");
        assert_eq!(strip.scope, Scope::Viewers, "{asked:?}");
        assert_eq!(strip.seconds_played, expected.seconds_played(0..=89), "{asked:?}");
        assert_eq!(strip.viewers, strip.buckets[0].reached, "{asked:?}");
        assert!(strip.viewers >= strip.peak, "{asked:?}");
        assert!(near(strip.viewers, expected.viewers(0..=89)), "{asked:?}");
        assert!(strip.buckets.is_sorted_by(|a, b| a.reached >= b.reached), "{asked:?}");
        assert_eq!(strip.buckets.iter().map(|bucket| bucket.viewers).max(), Some(strip.peak), "{asked:?}");
        assert_eq!(strip.buckets.len(), expected.buckets().len(), "{asked:?}");
        for (bucket, secs) in strip.buckets.iter().zip(expected.buckets()) {
            let sets = expected.sets(secs.clone());
            let viewers = sets.iter().sum::<usize>() as u64;
            assert!(near(bucket.viewers, viewers), "{} for {viewers}: {asked:?} {secs:?}", bucket.viewers);
            if sets.iter().all(|&set| set <= 320) {
                // Bucket by bucket what is few is exact, whatever the strip as a whole says.
                assert_eq!(bucket.viewers, viewers, "{asked:?} {secs:?}");
            }
            assert!(bucket.reached >= bucket.viewers, "{asked:?} {secs:?}");
            assert_eq!(bucket.seconds_played, expected.seconds_played(secs.clone()), "{asked:?} {secs:?}");
            assert!((0.0..=1.0).contains(&bucket.retention), "{asked:?} {secs:?}");
        }
    }
}
