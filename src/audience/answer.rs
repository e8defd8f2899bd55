//! The answer to a set question: an estimate with its interval, or a refusal.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::interval::{self, CONFIDENCE, Interval, Stratum};
use crate::{answers::envelope::Scope, viewers::epoch::Rotation};

/// An estimate is refused if fewer viewers than this are sampled among all.
pub const MIN_SAMPLED: u64 = 30;
/// The reason of a refusal.
pub const REFUSED: &str = "too few sampled viewers";

/// Numbers with their interval, all of them none where the answer is refused.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Estimate {
    /// The viewers who meet the conditions.
    pub viewers: Option<u64>,
    /// With the chance that `confidence` says there are no fewer of them.
    pub low: Option<u64>,
    /// And no more than this.
    pub high: Option<u64>,
    /// Everybody who watched anything of it in these days and regions.
    pub of: Option<u64>,
    /// `viewers / of`.
    pub share: Option<f64>,
    /// The share's own interval.
    pub share_low: Option<f64>,
    pub share_high: Option<f64>,
    /// The reason why there are no numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
}

impl Estimate {
    const REFUSED: Estimate = Estimate {
        viewers: None,
        low: None,
        high: None,
        of: None,
        share: None,
        share_low: None,
        share_high: None,
        refused: Some(REFUSED),
    };

    /// Returns what the strata say.
    pub fn of(strata: &Strata) -> Self {
        let count = interval::count(&strata.counted);
        let all: f64 = strata.counted.iter().map(|stratum| stratum.all as f64 / stratum.share).sum();
        let share = interval::share(&strata.counted);
        if !strata.exact && (strata.sampled() < MIN_SAMPLED || says_nothing(count, all)) {
            return Estimate::REFUSED;
        }
        Estimate {
            viewers: Some(count.estimate.round() as u64),
            low: Some(count.low.floor() as u64),
            high: Some(count.high.ceil() as u64),
            of: Some(all.round() as u64),
            share: Some(four_decimals(share.estimate)),
            share_low: Some(four_decimals(share.low)),
            share_high: Some(four_decimals(share.high)),
            refused: None,
        }
    }
}

/// Returns true if it may be nobody as well as more than half of all.
fn says_nothing(count: Interval, all: f64) -> bool {
    count.low.floor() <= 0.0 && count.high > all / 2.0
}

fn four_decimals(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

/// The sampled viewers of a question, epoch by epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Strata {
    pub counted: Vec<Stratum>,
    /// True if everybody is sampled.
    pub exact: bool,
}

impl Strata {
    /// Counts the sampled viewers among all.
    pub fn sampled(&self) -> u64 {
        self.counted.iter().map(|stratum| stratum.all).sum()
    }
}

/// The days, regions and salt epochs that an answer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub regions: Vec<String>,
    /// None where it was left out and nothing is sampled.
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// The rotations of the epochs that the days touch.
    pub epochs: Vec<Rotation>,
}

/// The answer to a question about one video.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "video_id": "yt_abc123", "regions": ["GLOBAL"], "from": "2026-11-01", "to": "2026-11-21", "scope": "viewers",
    "viewers": 12040, "low": 11210, "high": 12931, "of": 33120, "share": 0.3635, "share_low": 0.3402, "share_high": 0.3875,
    "confidence": 0.95, "exact": false, "sampled": 1204, "generated_at": "2026-11-21T10:00:00Z"
}))]
pub struct Audience {
    pub video_id: String,
    pub regions: Vec<String>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub scope: Scope,
    #[serde(flatten)]
    pub estimate: Estimate,
    /// The chance that an interval holds the truth.
    pub confidence: f64,
    /// True if everybody was counted, nobody estimated.
    pub exact: bool,
    /// The sampled viewers among `of`.
    pub sampled: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<DateTime<Utc>>,
}

/// Returns the answer about a video.
pub fn answer(video_id: String, span: Span, strata: &Strata) -> Audience {
    Audience {
        video_id,
        scope: Scope::of(&span.epochs),
        regions: span.regions,
        from: span.from,
        to: span.to,
        estimate: Estimate::of(strata),
        confidence: CONFIDENCE,
        exact: strata.exact,
        sampled: strata.sampled(),
        generated_at: None,
    }
}

/// Those who watched as many of the videos.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Watched {
    /// So many of the videos, no more and no fewer.
    pub videos: u32,
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// The answer to how many watched how many of some videos.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Overlap {
    pub video_ids: Vec<String>,
    pub regions: Vec<String>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub scope: Scope,
    /// How many watched how many of the videos, from one to all of them.
    pub watched: Vec<Watched>,
    pub confidence: f64,
    pub exact: bool,
    /// The sampled viewers of any of the videos.
    pub sampled: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<DateTime<Utc>>,
}

/// Returns the answer about several videos: `strata` are those of whoever watched one of them, of whoever watched two, and so
/// on to all.
pub fn overlap(video_ids: Vec<String>, span: Span, strata: &[Strata]) -> Overlap {
    Overlap {
        video_ids,
        scope: Scope::of(&span.epochs),
        regions: span.regions,
        from: span.from,
        to: span.to,
        watched: (1..)
            .zip(strata)
            .map(|(videos, strata)| Watched { videos, estimate: Estimate::of(strata) })
            .collect(),
        confidence: CONFIDENCE,
        exact: strata.iter().all(|strata| strata.exact),
        sampled: strata.first().map_or(0, Strata::sampled),
        generated_at: None,
    }
}

#[cfg(test)]
mod tests;
