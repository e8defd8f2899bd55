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
const BEAT_SECS: u32 = 10;
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

/// That many beats, in the order in which sessions of the same time mix them.
pub fn beats(count: usize) -> Vec<Beat> {
    beats_of(0, VIDEOS, count)
}

/// The beats of one of several audiences, which share the videos and no viewer.
pub fn beats_of(audience: u64, videos: usize, count: usize) -> Vec<Beat> {
    let mut rng = ChaCha8Rng::seed_from_u64(11 + audience);
    let videos = WeightedIndex::new((1..=videos).map(|rank| 1.0 / rank as f64)).expect("positive weights");
    let regions = WeightedIndex::new(REGIONS.map(|(_, share)| share)).expect("positive weights");
    let viewers = (count / 4).max(1);
    let mut beats = Vec::with_capacity(count);
    // A hundred sessions go on at once, a beat each in turn.
    let mut open: Vec<std::vec::IntoIter<Beat>> = Vec::new();
    while beats.len() < count {
        open.resize_with(100, || session(&mut rng, &videos, &regions, audience, viewers).into_iter());
        open.retain_mut(|session| session.next().map(|beat| beats.push(beat)).is_some());
    }
    beats.truncate(count);
    beats
}

fn session(
    rng: &mut ChaCha8Rng,
    videos: &WeightedIndex<f64>,
    regions: &WeightedIndex<u32>,
    audience: u64,
    viewers: usize,
) -> Vec<Beat> {
    let video = videos.sample(rng);
    let region = REGIONS[regions.sample(rng)].0;
    let viewer_id = format!("viewer-{audience}-{:08}", rng.random_range(0..viewers));
    // One minute to twenty, the same for everybody who watches it.
    let length = 60 + (video as u32 * 7919) % 1140;
    let from = if rng.random_bool(0.7) { 0 } else { rng.random_range(0..length) };
    let watched = (-90.0 * (1.0 - rng.random::<f64>()).ln()) as u32 + 1;
    let to = (from + watched).min(length);
    (from..to)
        .step_by(BEAT_SECS as usize)
        .map(|start_sec| Beat {
            video_id: format!("video-{video:05}"),
            region,
            start_sec,
            end_sec: (start_sec + BEAT_SECS).min(to) - 1,
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
    let converted = xapi::convert(file::elements(File::open(path)?)?)?;
    let mut recorded: Vec<Recorded> =
        converted.heartbeats.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>()?;
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
