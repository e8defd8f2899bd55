//! The audience of the comparison: sessions over videos whose popularity follows Zipf's law, cut into beats as a player
//! sends them. Seeded: every contestant, in every run, gets the same beats.

use std::fs::File;

use chrono::NaiveDate;
use heatstrip::{
    events::{
        hashed::{HashedHeartbeat, HashedHeartbeats},
        heartbeat::ViewerId,
    },
    import::file,
    ingest::xapi,
    viewers::hash::{Salt, viewer_hash},
};
use rand::{RngExt, SeedableRng, distr::Distribution, distr::weighted::WeightedIndex};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Videos of the catalogue.
pub const VIDEOS: usize = 5_000;
/// Regions with their shares of the audience.
const REGIONS: [(&str, u32); 8] =
    [("JP", 28), ("KR", 20), ("TW", 14), ("TH", 11), ("VN", 9), ("ID", 8), ("PH", 6), ("SG", 4)];
/// Seconds a heartbeat, except for the last of a session.
pub const BEAT_SECS: u32 = 10;
/// Of all contestants alike.
pub const SALT: &str = "benchmark";

/// What a player sends.
#[derive(Debug, Clone, Serialize)]
pub struct Beat {
    pub video_id: String,
    pub region: &'static str,
    pub start_sec: u32,
    pub end_sec: u32,
    pub viewer_id: String,
}

/// The day of all beats.
pub fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day")
}

/// Who watches.
#[derive(Clone, Copy)]
pub struct Audience {
    /// Audiences of different seeds share the videos and no viewer.
    pub seed: u64,
    pub videos: usize,
    /// Sessions that go on at the same time, a beat each in turn: the more, the farther apart are the beats of one.
    pub at_once: usize,
}

/// The audience of most sections: consecutive beats of a session are near each other.
pub const FEW: Audience = Audience { seed: 0, videos: VIDEOS, at_once: 100 };
/// The same where everybody watches at once: a window holds about a beat of each session.
pub const MANY: Audience = Audience { at_once: 100_000, ..FEW };

impl Audience {
    /// That many beats, in the order in which sessions of the same time mix them.
    pub fn beats(self, count: usize) -> Vec<Beat> {
        let mut rng = ChaCha8Rng::seed_from_u64(11 + self.seed);
        let sample = Sample::of(self.videos);
        let viewers = (count / 4).max(1);
        mixed(count, self.at_once, || session(&mut rng, &sample, self.seed, viewers))
    }
}

/// Viewings of films of 90 minutes, from the first second to the last, by few viewers each.
pub fn films(viewings: usize) -> Vec<Beat> {
    const LENGTH: u32 = 90 * 60;
    /// A film platform at an evening: as long as a window is collected, each of these sends some beats.
    const AT_ONCE: usize = 1_000;
    let mut rng = ChaCha8Rng::seed_from_u64(90);
    let regions = regions();
    let films = (viewings / 3).max(1);
    let count = viewings * (LENGTH / BEAT_SECS) as usize;
    mixed(count, AT_ONCE, || {
        let video_id = format!("film-{:05}", rng.random_range(0..films));
        let region = REGIONS[regions.sample(&mut rng)].0;
        let viewer_id = format!("viewer-{:08}", rng.random_range(0..viewings.max(1)));
        (0..LENGTH)
            .step_by(BEAT_SECS as usize)
            .map(|start_sec| Beat {
                video_id: video_id.clone(),
                region,
                start_sec,
                end_sec: start_sec + BEAT_SECS - 1,
                viewer_id: viewer_id.clone(),
            })
            .collect()
    })
}

/// Seconds that the beats have watched, all together.
pub fn watched_secs(beats: &[Beat]) -> u64 {
    beats.iter().map(|beat| u64::from(beat.end_sec - beat.start_sec + 1)).sum()
}

/// The beats of sessions that go on at once, a beat each in turn; one that ends makes room for the next.
fn mixed(count: usize, at_once: usize, mut session: impl FnMut() -> Vec<Beat>) -> Vec<Beat> {
    let mut beats = Vec::with_capacity(count);
    let mut open: Vec<std::vec::IntoIter<Beat>> = Vec::new();
    while beats.len() < count {
        open.resize_with(at_once, || session().into_iter());
        open.retain_mut(|session| session.next().map(|beat| beats.push(beat)).is_some());
    }
    beats.truncate(count);
    beats
}

/// What sessions are drawn from.
pub struct Sample {
    videos: WeightedIndex<f64>,
    regions: WeightedIndex<u32>,
}

/// Who watches what, and where.
pub struct Watch {
    pub video: usize,
    pub region: &'static str,
    /// One of as many viewers as there are.
    pub viewer: usize,
    pub from: u32,
    /// The second after the last.
    pub to: u32,
}

impl Sample {
    pub fn of(videos: usize) -> Self {
        let weights = (1..=videos).map(|rank| 1.0 / rank as f64);
        Sample { videos: WeightedIndex::new(weights).expect("positive weights"), regions: regions() }
    }

    pub fn watch(&self, rng: &mut ChaCha8Rng, viewers: usize) -> Watch {
        let video = self.videos.sample(rng);
        let region = REGIONS[self.regions.sample(rng)].0;
        let viewer = rng.random_range(0..viewers);
        // One minute to twenty, the same for everybody who watches it.
        let length = 60 + (video as u32 * 7919) % 1140;
        let from = if rng.random_bool(0.7) { 0 } else { rng.random_range(0..length) };
        let watched = (-90.0 * (1.0 - rng.random::<f64>()).ln()) as u32 + 1;
        Watch { video, region, viewer, from, to: (from + watched).min(length) }
    }
}

fn regions() -> WeightedIndex<u32> {
    WeightedIndex::new(REGIONS.map(|(_, share)| share)).expect("positive weights")
}

fn session(rng: &mut ChaCha8Rng, sample: &Sample, audience: u64, viewers: usize) -> Vec<Beat> {
    let watch = sample.watch(rng, viewers);
    let viewer_id = format!("viewer-{audience}-{:08}", watch.viewer);
    (watch.from..watch.to)
        .step_by(BEAT_SECS as usize)
        .map(|start_sec| Beat {
            video_id: format!("video-{:05}", watch.video),
            region: watch.region,
            start_sec,
            end_sec: (start_sec + BEAT_SECS).min(watch.to) - 1,
            viewer_id: viewer_id.clone(),
        })
        .collect()
}

/// The sessions of a MOOC platform, where a file of them is at hand (`HEATSTRIP_MOOC_FILE`): one day of one region, in
/// the order in which they were watched.
pub fn recorded() -> anyhow::Result<Option<Vec<Beat>>> {
    #[derive(Deserialize)]
    struct Recorded {
        at: String,
        video_id: String,
        start_sec: u32,
        end_sec: u32,
        viewer_id: String,
    }
    let Some(path) = std::env::var_os("HEATSTRIP_MOOC_FILE") else { return Ok(None) };
    let heartbeats = xapi::convert(|| file::elements(File::open(&path)?), usize::MAX, |_, _| ())?;
    let mut recorded: Vec<Recorded> =
        heartbeats.map(|text| Ok(serde_json::from_str(&text?)?)).collect::<anyhow::Result<_>>()?;
    recorded.sort_by(|a, b| a.at.cmp(&b.at));
    let beat = |Recorded { video_id, start_sec, end_sec, viewer_id, .. }| Beat {
        video_id,
        region: "FR",
        start_sec,
        end_sec,
        viewer_id,
    };
    Ok(Some(recorded.into_iter().map(beat).collect()))
}

/// The beats as they are queued.
pub fn hashed<'a>(beats: &'a [Beat]) -> HashedHeartbeats {
    let salt = Salt::new(SALT.as_bytes().to_vec());
    let heartbeat = |beat: &'a Beat| HashedHeartbeat {
        video_id: &beat.video_id,
        region: beat.region,
        captured_on: day(),
        start_sec: beat.start_sec as i32,
        end_sec: beat.end_sec as i32,
        viewer_hash: viewer_hash(&ViewerId::new(&beat.viewer_id), &salt),
    };
    beats.iter().map(heartbeat).collect()
}
