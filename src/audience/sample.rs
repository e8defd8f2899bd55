//! The sample of a video-day: the stretches that its viewers with the smallest elements watched.
//!
//! It is a bottom-k sample (Cohen and Kaplan, [Summarizing data using bottom-k sketches], 2007) with some slack. While few
//! watch, everybody is in it. Once it has grown to twice its size it is **thinned** to its size, and the smallest element
//! that went becomes the **threshold**: whoever is at or above it is out for good, whoever is below it is in with all that
//! they ever watched on that day, in whatever order it came. Thinning only ever looks at elements, so a threshold that moved
//! down in steps is as good as one that was there from the first (Ting, [Adaptive threshold sampling], 2017: it is
//! *substitutable*, so an estimate may treat it as if it had been fixed beforehand).
//!
//! [Summarizing data using bottom-k sketches]: https://doi.org/10.1145/1281100.1281133
//! [Adaptive threshold sampling]: https://arxiv.org/abs/1708.04970

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::{events::hashed::HashedHeartbeat, sketch};

mod codec;

pub use codec::{Unreadable, decode, encode};

/// The number of viewers that a sample is thinned to, unless a setting says otherwise.
pub const DEFAULT_SIZE: usize = 1_024;
/// A sample that has grown to this many times its size is thinned to its size again.
const SLACK: usize = 2;

/// Divides the hash space: viewers below it are in a sample, the others are out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold(Option<u64>);

impl Threshold {
    /// Nobody is out yet.
    pub const NOBODY_OUT: Threshold = Threshold(None);

    /// Returns the threshold after this element was the smallest that went.
    pub fn at(element: u64) -> Self {
        Threshold(Some(element))
    }

    /// Returns true if a viewer with this element is in the sample.
    pub fn keeps(self, element: u64) -> bool {
        self.0.is_none_or(|threshold| element < threshold)
    }

    /// Returns true if nobody is out, so that what is counted below it is everybody.
    pub fn keeps_all(self) -> bool {
        self.0.is_none()
    }

    /// Returns the part of the hash space that is in, which is a viewer's chance to be sampled.
    pub fn share(self) -> f64 {
        const SPACE: f64 = 18_446_744_073_709_551_616.0;
        self.0.map_or(1.0, |threshold| threshold.max(1) as f64 / SPACE)
    }

    /// Returns the threshold of those who are below both.
    pub fn lower(self, other: Threshold) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(another)) => Threshold(Some(one.min(another))),
            (one, another) => Threshold(one.or(another)),
        }
    }

    /// Returns the column's value: the top bit is flipped, so that signed integers sort as the elements do. None while
    /// nobody is out, which `least` leaves aside.
    pub fn to_column(self) -> Option<i64> {
        self.0.map(|threshold| (threshold ^ TOP_BIT) as i64)
    }

    /// Returns the threshold of a column's value.
    pub fn from_column(value: Option<i64>) -> Self {
        Threshold(value.map(|value| value as u64 ^ TOP_BIT))
    }
}

const TOP_BIT: u64 = 1 << 63;

/// A stretch that a sampled viewer watched in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watch<'a> {
    /// The viewer's element, as an unsigned integer.
    pub element: u64,
    pub region: &'a str,
    pub start_sec: i32,
    /// The last second, inclusive.
    pub end_sec: i32,
}

/// Sorts stretches, and joins those of one viewer and region that touch or overlap.
pub fn join(watches: &mut Vec<Watch<'_>>) {
    watches.sort_unstable();
    watches.dedup_by(|next, last| {
        let joins = (last.element, last.region) == (next.element, next.region)
            && next.start_sec <= last.end_sec.saturating_add(1);
        if joins {
            last.end_sec = last.end_sec.max(next.end_sec);
        }
        joins
    });
}

/// Counts the viewers of stretches that are sorted.
pub fn viewers(watches: &[Watch<'_>]) -> usize {
    watches.chunk_by(|a, b| a.element == b.element).count()
}

/// Thins stretches, which are sorted, if their viewers have grown to more than twice `size`; returns the threshold that
/// this sets.
pub fn thin_grown(watches: &mut Vec<Watch<'_>>, size: usize) -> Threshold {
    if viewers(watches) <= SLACK * size { Threshold::NOBODY_OUT } else { thin(watches, size) }
}

/// Keeps the `size` viewers with the smallest elements of stretches that are sorted; returns the threshold that this sets.
pub fn thin(watches: &mut Vec<Watch<'_>>, size: usize) -> Threshold {
    let Some(first_out) = watches.chunk_by(|a, b| a.element == b.element).nth(size).map(|out| out[0].element)
    else {
        return Threshold::NOBODY_OUT;
    };
    watches.retain(|watch| watch.element < first_out);
    Threshold::at(first_out)
}

/// The part of a batch that is added to the sample of a video-day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition<'a> {
    pub video_id: &'a str,
    /// The UTC day of capture.
    pub captured_on: NaiveDate,
    /// The stretches of this batch, in no order.
    pub watches: Vec<Watch<'a>>,
}

/// Returns what the heartbeats of the days from `kept_from` on add to each video-day, ascending by video and day.
pub fn additions<'a>(heartbeats: &[HashedHeartbeat<'a>], kept_from: NaiveDate) -> Vec<Addition<'a>> {
    let mut places: HashMap<(&str, NaiveDate), usize, fnv::FnvBuildHasher> = HashMap::default();
    let mut additions: Vec<Addition<'a>> = Vec::new();
    for heartbeat in heartbeats {
        let HashedHeartbeat { video_id, region, captured_on, start_sec, end_sec, viewer_hash } = *heartbeat;
        if captured_on < kept_from {
            continue;
        }
        let place = *places.entry((video_id, captured_on)).or_insert_with(|| {
            additions.push(Addition { video_id, captured_on, watches: Vec::new() });
            additions.len() - 1
        });
        let element = sketch::element(viewer_hash) as u64;
        additions[place].watches.push(Watch { element, region, start_sec, end_sec });
    }
    additions.sort_unstable_by_key(|addition| (addition.video_id, addition.captured_on));
    additions
}

#[cfg(test)]
mod tests;
