//! A strip: the buckets of one answer, dense from 0 to the last watched one, and what is said of them. Pure.
//!
//! Sketches are united first and estimated last, once per salt epoch ([`buckets`]); then the rounded estimates of the
//! epochs are added up, gaps are filled and the ratios are taken. Nothing else is ever summed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::{
    answers::envelope::{Scope, ratio},
    sketch,
    viewers::epoch::Rotation,
};

pub mod buckets;
pub mod formats;
mod picture;
pub mod terminal;
pub mod withheld;

/// The resolutions kept precomputed, in seconds, the coarsest first.
const LEVELS: [u32; 3] = [60, 5, FINEST];
/// The finest of them.
pub const FINEST: u32 = 1;

/// Returns the level a strip is read from: the coarsest that divides its resolution, whatever is compacted yet.
pub fn level(resolution: u32) -> u32 {
    LEVELS.into_iter().find(|level| resolution.is_multiple_of(*level)).unwrap_or(FINEST)
}

/// One bucket in one salt epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketRow {
    /// The epoch's place in the range, counted from 0.
    pub epoch: usize,
    /// The bucket's number: its first second divided by the resolution.
    pub bucket: u32,
    /// Distinct viewers present in the bucket.
    pub viewers: u64,
    /// Distinct viewers present in this bucket or any later one of the epoch.
    pub reached: u64,
    /// The sum of `plays` over the bucket's seconds.
    pub seconds_played: u64,
    /// The last watched second of the bucket.
    pub last_sec: u32,
    /// True if `reached` was counted and not estimated.
    pub exact: bool,
}

/// The question as it was asked, and the days that its answer covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripRange {
    pub video_id: String,
    /// The regions united, ascending; `GLOBAL` alone for all.
    pub regions: Vec<String>,
    /// Seconds a bucket.
    pub resolution: u32,
    /// The first day, inclusive; none where it was left out and the video has no rows.
    pub from: Option<NaiveDate>,
    /// The last day, likewise.
    pub to: Option<NaiveDate>,
    /// The rotation under which each salt epoch of the range was opened.
    pub epochs: Vec<Rotation>,
}

/// The answer, its fields as design and OpenAPI document name them.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Strip {
    pub video_id: String,
    pub regions: Vec<String>,
    pub resolution: u32,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub scope: Scope,
    /// `null` in these three where fewer watched than the reader's key takes.
    #[schema(value_type = Option<u64>)]
    pub viewers: u64,
    #[schema(value_type = Option<u64>)]
    pub seconds_played: u64,
    #[schema(value_type = Option<u64>)]
    pub peak: u64,
    pub relative_error: f64,
    pub exact: bool,
    /// None while the answer's tag is taken, so that an unchanged strip keeps its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<DateTime<Utc>>,
    pub buckets: Vec<Bucket>,
}

/// One bucket of a strip.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Bucket {
    /// The bucket's first second.
    pub bucket: u32,
    /// `null` in all of these, and `withheld`, where fewer watched than the reader's key takes.
    #[schema(value_type = Option<u64>)]
    pub viewers: u64,
    #[schema(value_type = Option<u64>)]
    pub seconds_played: u64,
    #[schema(value_type = Option<f64>)]
    pub replay: f64,
    #[schema(value_type = Option<f64>)]
    pub retention: f64,
    #[schema(value_type = Option<u64>)]
    pub reached: u64,
}

impl Strip {
    /// Returns the bucket that was replayed most, among those with at least a tenth of the peak: two fans who loop one
    /// second are no moment. None where no replay stands out from one view each by more than the estimates may err.
    pub fn most_replayed(&self) -> Option<&Bucket> {
        // Three standard errors: what chance alone hardly reaches. Exact strips have none.
        let noise = 1.0 + 3.0 * self.relative_error;
        let mut most: Option<&Bucket> = None;
        for bucket in &self.buckets {
            let enough_viewers = bucket.viewers * 10 >= self.peak;
            if enough_viewers && bucket.replay > most.map_or(noise, |most| most.replay) {
                most = Some(bucket);
            }
        }
        most
    }
}

/// Sums of one bucket over the epochs.
#[derive(Clone, Default)]
struct Sums {
    viewers: u64,
    seconds_played: u64,
    reached: u64,
}

/// Adds up the rows, which come epoch by epoch, each with its buckets ascending.
pub fn strip(range: StripRange, rows: &[BucketRow]) -> Strip {
    let exact = rows.iter().all(|row| row.exact);
    let last_sec = rows.iter().map(|row| row.last_sec).max();
    let mut sums =
        vec![Sums::default(); last_sec.map_or(0, |last_sec| (last_sec / range.resolution) as usize + 1)];
    for epoch in rows.chunk_by(|a, b| a.epoch == b.epoch) {
        add_epoch(epoch, &mut sums);
    }

    let peak = sums.iter().map(|sum| sum.viewers).max().unwrap_or(0);
    let buckets: Vec<Bucket> = sums
        .iter()
        .enumerate()
        .map(|(number, sum)| {
            let first_sec = number as u32 * range.resolution;
            let seconds = range.resolution.min(last_sec.unwrap_or(0) + 1 - first_sec);
            Bucket {
                bucket: first_sec,
                viewers: sum.viewers,
                seconds_played: sum.seconds_played,
                replay: ratio(sum.seconds_played, u64::from(seconds) * sum.viewers),
                retention: ratio(sum.viewers, peak),
                reached: sum.reached,
            }
        })
        .collect();
    Strip {
        scope: if rows.is_empty() { Scope::Viewers } else { Scope::of(&range.epochs) },
        video_id: range.video_id,
        regions: range.regions,
        resolution: range.resolution,
        from: range.from,
        to: range.to,
        viewers: buckets.first().map_or(0, |bucket| bucket.reached),
        seconds_played: buckets.iter().map(|bucket| bucket.seconds_played).sum(),
        peak,
        relative_error: if exact { 0.0 } else { sketch::RELATIVE_STANDARD_ERROR },
        exact,
        generated_at: None,
        buckets,
    }
}

/// Adds one epoch's buckets, filling its gaps: whoever comes later has reached the gap too.
fn add_epoch(rows: &[BucketRow], sums: &mut [Sums]) {
    let mut reached = 0;
    let mut rows = rows.iter().rev().peekable();
    for (number, sum) in sums.iter_mut().enumerate().rev() {
        if let Some(row) = rows.next_if(|row| row.bucket as usize == number) {
            sum.viewers += row.viewers;
            sum.seconds_played += row.seconds_played;
            // Estimates of nested sets may disagree by a few.
            reached = reached.max(row.reached).max(row.viewers);
        }
        sum.reached += reached;
    }
}

#[cfg(test)]
mod tests;
