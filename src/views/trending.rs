//! Trending: which videos new viewers come to now, more than is usual for each. This file is pure.
//!
//! A row holds two masses of its new viewers, each of whom counts 1 when they come and half as much after every half-life:
//! the recent mass, with a half-life of hours, and the baseline, with one of days. What is compared is the recent mass
//! and what the baseline says that it should be, so that a video is measured by itself and not by the giants.
//!
//! Nothing is recomputed as time goes by, because all masses of one half-life shrink alike: their order, and so the key that
//! the index holds, was settled when they were written. A mass of `m` at the time `t` has the key `log2 m + t / half-life`, which
//! is the mass it would have at time 0. This is the trick of Reddit's ranking, for a mass in place of a vote.

use std::{cmp::Ordering, collections::HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// Keys count quarters of a doubling, so that most folds leave the key, and with it the index, as it is.
const KEY_STEPS: f64 = 4.0;
/// Added to what is there and to what is expected: a jump from 1 to 4 is not the news that one from 100 to 400 is.
const DAMPING: f64 = 10.0;
/// The usual rate of the site counts as much as a day of the video's own.
const PRIOR_SECS: f64 = 24.0 * 3600.0;
/// No rate is taken of a shorter life: one viewer in the first second would be thousands an hour.
const SHORTEST_LIFE_SECS: f64 = 3600.0;

/// After these many seconds a mass is half of what it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfLives {
    pub recent_secs: f64,
    pub baseline_secs: f64,
}

/// The masses of a video in a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Masses {
    pub recent: f64,
    pub baseline: f64,
    /// The masses are those of this moment.
    pub at: DateTime<Utc>,
    /// When the first of the new viewers came.
    pub born: DateTime<Utc>,
}

impl Masses {
    /// Returns the masses of one new viewer.
    pub fn of_one(at: DateTime<Utc>) -> Masses {
        Masses { recent: 1.0, baseline: 1.0, at, born: at }
    }

    /// Adds other masses; both are taken as they are at the later of their moments, so the order does not matter, and a
    /// viewer who is heard of late counts as much as they would have by now.
    pub fn add(&mut self, other: Masses, half_lives: HalfLives) {
        let at = self.at.max(other.at);
        let (ours, theirs) = (self.aged(at, half_lives), other.aged(at, half_lives));
        *self = Masses {
            recent: ours.recent + theirs.recent,
            baseline: ours.baseline + theirs.baseline,
            at,
            born: self.born.min(other.born),
        };
    }

    /// Returns the masses as they are at a later moment; a moment before theirs changes nothing.
    pub fn aged(self, at: DateTime<Utc>, half_lives: HalfLives) -> Masses {
        let secs = secs(at, self.at);
        Masses {
            recent: self.recent * (-secs / half_lives.recent_secs).exp2(),
            baseline: self.baseline * (-secs / half_lives.baseline_secs).exp2(),
            at: self.at.max(at),
            ..self
        }
    }
}

/// Returns the key by which masses of one half-life are in order, whenever they were written.
pub fn key(mass: f64, at: DateTime<Utc>, half_life_secs: f64) -> i32 {
    (KEY_STEPS * (mass.log2() + epoch_secs(at) / half_life_secs)).floor() as i32
}

/// The list is in the order of one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// By how much more the recent mass is than the video's own baseline lets expect.
    Rise,
    /// By the recent mass.
    Hot,
    /// By the baseline.
    Top,
}

/// The names that the parameter takes.
pub const NAMED: [(&str, By); 3] = [("rise", By::Rise), ("hot", By::Hot), ("top", By::Top)];

/// A video that may be listed, its masses as they are now.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub video_id: String,
    pub masses: Masses,
}

/// A video in the list, with what it was judged by.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Trend {
    pub video_id: String,
    /// What the list is in the order of: for `rise` the logarithm to base 2 of `ratio`, so that 1 is twice what was expected;
    /// for `hot` the recent mass and for `top` the baseline.
    pub score: f64,
    /// New viewers of late: each counts half as much after every half-life.
    pub recent: f64,
    /// What `recent` would be if the video went on as in the days before.
    pub expected: f64,
    /// `(recent + 10) / (expected + 10)`.
    pub ratio: f64,
}

/// Returns the candidates in their order, each with its reasons. The usual rate is the median of theirs.
pub fn rank(by: By, candidates: Vec<Candidate>, now: DateTime<Utc>, half_lives: HalfLives) -> Vec<Trend> {
    let usual = median(candidates.iter().map(|candidate| rate(&candidate.masses, now, half_lives)).collect());
    let mut trends: Vec<Trend> = candidates
        .into_iter()
        .map(|Candidate { video_id, masses }| {
            let expected = expected(&masses, now, half_lives, usual);
            let ratio = (masses.recent + DAMPING) / (expected + DAMPING);
            let score = match by {
                By::Rise => ratio.log2(),
                By::Hot => masses.recent,
                By::Top => masses.baseline,
            };
            Trend { video_id, score, recent: masses.recent, expected, ratio }
        })
        .collect();
    trends.sort_unstable_by(|a, b| {
        b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal).then_with(|| a.video_id.cmp(&b.video_id))
    });
    trends
}

/// Takes the first videos of a list, of no channel more than so many; 0 stands for as many as there are. Videos without
/// a channel have nobody to share with.
pub fn cap_channels(
    trends: &[Trend],
    channels: &HashMap<String, Option<String>>,
    most_of_channel: usize,
    limit: usize,
) -> Vec<Trend> {
    let mut taken: HashMap<&str, usize> = HashMap::new();
    let mut has_room = |trend: &Trend| {
        let Some(Some(channel)) = channels.get(&trend.video_id).filter(|_| most_of_channel > 0) else {
            return true;
        };
        let of_channel = taken.entry(channel).or_default();
        *of_channel += 1;
        *of_channel <= most_of_channel
    };
    trends.iter().filter(|trend| has_room(trend)).take(limit).cloned().collect()
}

/// Returns what the recent mass would be if new viewers came as they did before: the rate of the baseline over the time
/// that the recent mass looks back on. A day at the usual rate stands in for a past that the video has not got.
fn expected(masses: &Masses, now: DateTime<Utc>, half_lives: HalfLives, usual: f64) -> f64 {
    let life = secs(now, masses.born);
    let (recent, baseline) = (window(half_lives.recent_secs, life), window(half_lives.baseline_secs, life));
    recent * (masses.baseline + usual * PRIOR_SECS) / (baseline + PRIOR_SECS)
}

/// Returns the seconds that a mass looks back on, as if each of them counted whole: the mass of somebody every second
/// since the birth.
fn window(half_life_secs: f64, life_secs: f64) -> f64 {
    half_life_secs * (1.0 - (-life_secs / half_life_secs).exp2()) / std::f64::consts::LN_2
}

/// Returns how many new viewers came in a second, by the baseline.
fn rate(masses: &Masses, now: DateTime<Utc>, half_lives: HalfLives) -> f64 {
    let life = secs(now, masses.born).max(SHORTEST_LIFE_SECS);
    masses.baseline / window(half_lives.baseline_secs, life)
}

fn median(mut rates: Vec<f64>) -> f64 {
    if rates.is_empty() {
        return 0.0;
    }
    let middle = rates.len() / 2;
    *rates.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Returns the seconds from one moment to a later one, and 0 to an earlier one: clocks differ by a little.
fn secs(later: DateTime<Utc>, earlier: DateTime<Utc>) -> f64 {
    (later - earlier).as_seconds_f64().max(0.0)
}

fn epoch_secs(at: DateTime<Utc>) -> f64 {
    at.timestamp_micros() as f64 / 1e6
}

#[cfg(test)]
mod tests;
