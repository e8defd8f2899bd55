//! A demo audience sends the beats that believable people's players would have sent over the last days.
//!
//! An empty heatmap shows nothing of what a heatmap is for, so a demo begins with a week of invented watching. Each
//! shape that a strip can show is made by a habit that people really have: a hook at which most leave, a slow drop-off,
//! intros skipped, one moment per video that many rewind to, and credits nobody watches. The audience is seeded, so
//! that two people who talk about a demo see the same one.

use std::ops::Range;

use chrono::{DateTime, DurationRound, TimeDelta, Timelike, Utc};
use rand::{
    RngExt, SeedableRng,
    distr::{Distribution, weighted::WeightedIndex},
};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// A player plays this much media between two beats.
pub const BEAT_SEC: u32 = 10;
/// A session becomes a view once it has played so much.
const VIEW_AFTER_SEC: u32 = 10;

const SECS_PER_DAY: i64 = 86_400;

/// An audience to be generated: the same fields give the same beats.
#[derive(Debug, Clone)]
pub struct Audience {
    /// The seed chooses one of the possible audiences.
    pub seed: u64,
    /// The last beat may have been sent at this instant.
    pub now: DateTime<Utc>,
    /// The watching began this many times 24 hours before `now`.
    pub days: u32,
    /// There are this many people, each of whom begins to watch at least once.
    pub viewers: u32,
}

impl Audience {
    /// Returns the audience of the demo: about 70,000 beats, loaded in seconds, yet over 1,000 people on the most
    /// watched video within the last day, so that strips show estimates and not only exact sets.
    pub fn demo(now: DateTime<Utc>) -> Self {
        Audience { seed: 2026, now, days: 7, viewers: 3_900 }
    }

    /// Returns all beats, in the order in which they were sent.
    pub fn beats(&self) -> impl ExactSizeIterator<Item = Beat> + use<> {
        let mut beats = Vec::new();
        if self.days > 0 {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            let places = weighted(PLACES.iter().map(|place| place.share));
            // By Zipf's law the second most popular video has about 0.4 of the first one's sessions, and the third
            // 0.24.
            let videos = weighted((1..=VIDEOS.len()).map(|rank| (rank as f64).powf(-1.3)));
            for viewer in 0..self.viewers {
                let place = &PLACES[places.sample(&mut rng)];
                let viewer_id = format!("demo-viewer-{viewer:05}");
                loop {
                    let video = &VIDEOS[videos.sample(&mut rng)];
                    self.session(&viewer_id, place, video, &mut rng, &mut beats);
                    if !rng.random_bool(0.35) {
                        break;
                    }
                }
            }
        }
        // The sort is stable, so beats of one instant stay in the order in which they were made.
        beats.sort_by_key(|beat| beat.at);
        beats.into_iter()
    }

    /// Lets one person watch one video once.
    fn session(
        &self,
        viewer_id: &str,
        place: &Place,
        video: &Video,
        rng: &mut ChaCha8Rng,
        beats: &mut Vec<Beat>,
    ) {
        let mut at = self.begins(place, video, rng);
        let (mut played_sec, mut viewed) = (0, false);
        for range in played(video, rng) {
            for start_sec in range.clone().step_by(BEAT_SEC as usize) {
                // A range that ends between two beats is told by a shorter one, as players flush on a seek or pause.
                let end_sec = range.end.min(start_sec + BEAT_SEC) - 1;
                at += TimeDelta::seconds(i64::from(end_sec - start_sec) + 1);
                if at > self.now {
                    return;
                }
                played_sec += end_sec - start_sec + 1;
                let view = !viewed && played_sec >= VIEW_AFTER_SEC;
                viewed |= view;
                beats.push(Beat {
                    video_id: video.id,
                    region: place.region,
                    start_sec,
                    end_sec,
                    viewer_id: viewer_id.to_owned(),
                    at,
                    duration_sec: video.duration_sec,
                    view,
                });
            }
            // Finding the spot on the seek bar takes a moment.
            at += TimeDelta::seconds(rng.random_range(1..=3));
        }
    }

    /// Draws when a session begins: more likely in the evening, and when the video was talked about.
    fn begins(&self, place: &Place, video: &Video, rng: &mut ChaCha8Rng) -> DateTime<Utc> {
        let now = self
            .now
            .duration_trunc(TimeDelta::seconds(1))
            .expect("a second divides every instant of this millennium");
        let oldest_interest = video.growth_per_day.powi(-(self.days as i32));
        loop {
            let age_secs = rng.random_range(1..=i64::from(self.days) * SECS_PER_DAY);
            let at = now - TimeDelta::seconds(age_secs);
            let local = at + TimeDelta::minutes(place.utc_offset_min);
            let interest = video.growth_per_day.powf(-(age_secs as f64) / SECS_PER_DAY as f64)
                / oldest_interest.max(1.0);
            if rng.random_bool(interest * f64::from(RHYTHM_PERCENT[local.hour() as usize]) / 100.0) {
                return at;
            }
        }
    }
}

/// A heartbeat of an invented viewer, which serializes to the wire format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Beat {
    pub video_id: &'static str,
    pub region: &'static str,
    pub start_sec: u32,
    pub end_sec: u32,
    /// The viewer is made up, so unlike a real one this id may be printed.
    pub viewer_id: String,
    /// The player sent it at this instant, as the last of its seconds ended.
    pub at: DateTime<Utc>,
    pub duration_sec: u32,
    /// True on the beat with which the session becomes a view.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub view: bool,
}

impl Beat {
    /// Returns the JSON text that a player would send.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("texts, integers and instants always serialize")
    }
}

/// A video, and what people do with it.
#[derive(Debug)]
struct Video {
    id: &'static str,
    duration_sec: u32,
    /// The intro ends here, and those in a hurry start here.
    intro_sec: u32,
    /// Many rewind to these seconds as soon as they are over.
    moment: Range<u32>,
    /// The credits are this long.
    credits_sec: u32,
    /// A day has more sessions than the day before by this factor.
    growth_per_day: f64,
}

/// The videos, by popularity. The first is short and spreads fast, so that it has many viewers a day and yet few beats.
const VIDEOS: [Video; 12] = [
    video("cat-piano", 154, 4, 61..74, 8, 2.1),
    video("rust-in-100-seconds", 138, 3, 84..97, 6, 1.1),
    video("paper-plane-world-record", 90, 5, 52..62, 7, 1.0),
    video("perfect-ramen-eggs", 312, 12, 171..189, 14, 1.0),
    video("how-hyperloglog-counts", 618, 15, 264..285, 16, 1.2),
    video("sourdough-for-beginners", 742, 20, 388..410, 22, 1.0),
    video("moon-landing-restored", 905, 25, 402..426, 30, 0.9),
    video("night-train-to-kyoto", 1_500, 18, 540..570, 28, 1.0),
    video("bicycle-repair-in-ten-minutes", 600, 14, 205..228, 15, 1.0),
    video("jazz-trio-live", 1_260, 10, 655..690, 25, 0.8),
    video("postgres-index-myths", 1_104, 16, 480..505, 20, 1.1),
    video("watercolour-basics", 828, 22, 350..372, 18, 1.0),
];

/// What the catalogue knows of a video of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub video_id: &'static str,
    pub title: String,
    pub duration_sec: u32,
    pub channel: &'static str,
}

/// Returns what the catalogue is to know of the videos: titles like their ids, and a channel for every third of them.
pub fn catalogue() -> impl Iterator<Item = Known> {
    let channels = ["Short and sweet", "Learn by doing", "Late night"];
    VIDEOS.iter().enumerate().map(move |(number, video)| {
        let words = video.id.replace('-', " ");
        let (first, rest) = words.split_at(1);
        Known {
            video_id: video.id,
            title: first.to_uppercase() + rest,
            duration_sec: video.duration_sec,
            channel: channels[number % channels.len()],
        }
    })
}

const fn video(
    id: &'static str,
    duration_sec: u32,
    intro_sec: u32,
    moment: Range<u32>,
    credits_sec: u32,
    growth_per_day: f64,
) -> Video {
    Video { id, duration_sec, intro_sec, moment, credits_sec, growth_per_day }
}

#[derive(Debug)]
struct Place {
    region: &'static str,
    utc_offset_min: i64,
    /// The share of the audience that lives here, relative to the others.
    share: f64,
}

const PLACES: [Place; 8] = [
    place("US", -300, 0.28),
    place("JP", 540, 0.18),
    place("IN", 330, 0.15),
    place("DE", 60, 0.11),
    place("BR", -180, 0.10),
    place("FR", 60, 0.07),
    place("GB", 0, 0.07),
    place("KR", 540, 0.04),
];

const fn place(region: &'static str, utc_offset_min: i64, share: f64) -> Place {
    Place { region, utc_offset_min, share }
}

/// In each local hour people watch this likely, in percent of the busiest: asleep at night, some at lunch, most after
/// dinner.
const RHYTHM_PERCENT: [u8; 24] =
    [35, 20, 11, 7, 5, 6, 12, 22, 27, 26, 27, 32, 45, 43, 35, 33, 37, 46, 58, 74, 92, 100, 86, 58];

/// Returns what one session plays, as ranges of seconds in the order of playing.
fn played(video: &Video, rng: &mut ChaCha8Rng) -> Vec<Range<u32>> {
    let mut position = if rng.random_bool(0.2) { video.intro_sec } else { 0 };
    let leave = leaves_at(video, position, rng);
    let mut rewinds = 0;
    while rewinds < 3 && rng.random_bool(0.45) {
        rewinds += 1;
    }
    let mut seek = rng.random_bool(0.2).then(|| {
        let from = rng.random_range(0..video.duration_sec);
        (from, from + rng.random_range(10..=60))
    });

    let mut ranges = Vec::new();
    while position < leave {
        let mut stop = leave;
        let mut next = leave;
        if rewinds > 0 && position < video.moment.end && video.moment.end < stop {
            stop = video.moment.end;
            // Nobody hits the same second.
            next = video.moment.start + 2 - rng.random_range(0..=4);
        }
        if let Some((from, to)) = seek
            && position <= from
            && from < stop
        {
            (stop, next) = (from, to);
            seek = None;
        } else if stop < leave {
            rewinds -= 1;
        }
        if position < stop {
            ranges.push(position..stop);
        }
        position = next;
    }
    ranges
}

/// Returns the second at which a viewer who began at `from` is gone: two in five let go at the hook, the others drop
/// off slowly, and whoever is left has seen enough when the credits begin.
fn leaves_at(video: &Video, from: u32, rng: &mut ChaCha8Rng) -> u32 {
    let duration = f64::from(video.duration_sec);
    let mean = if rng.random_bool(0.4) { 4.0 + 0.03 * duration } else { 40.0 + 0.5 * duration };
    // The time is exponential. `1 - random` is never 0, whose logarithm would be infinite.
    let leave = -mean * (1.0 - rng.random::<f64>()).ln();
    let leave = (from + 1 + leave as u32).min(video.duration_sec);
    let credits = video.duration_sec - video.credits_sec;
    if leave > credits && rng.random_bool(0.93) {
        return credits + rng.random_range(0..3);
    }
    leave
}

fn weighted(weights: impl Iterator<Item = f64>) -> WeightedIndex<f64> {
    WeightedIndex::new(weights).expect("there are weights and all are positive")
}

#[cfg(test)]
mod tests;
