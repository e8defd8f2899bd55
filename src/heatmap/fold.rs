//! The fold: a batch of heartbeats in, sorted runs out. Pure and hot.
//!
//! A **run** is a stretch of seconds whose viewers, repeats included, are the same throughout the batch. Cutting the
//! batch's ranges at every start and end gives few of them: a lone viewer's 40 seconds are one run, and one row. Compaction
//! works block by block, so a run never crosses the edge of a block either.
//!
//! ```text
//! viewer A   ├────────────┤
//! viewer B        ├────────────┤
//! runs       │ A  │ A, B  │  B │
//! ```

use std::collections::HashMap;

use chrono::NaiveDate;

use super::BLOCK_SECS;
use crate::{events::hashed::HashedHeartbeat, sketch};

/// The video, region and day of a run. It sorts as the index of the shard table does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    pub video_id: &'a str,
    /// The UTC day of capture.
    pub captured_on: NaiveDate,
    pub region: &'a str,
}

/// A stretch of seconds with one set of viewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run<'a> {
    /// The video, region and day it belongs to.
    pub key: Key<'a>,
    pub start_sec: i32,
    pub end_sec: i32,
    /// The sketch of its viewers.
    pub viewers: Vec<u8>,
    /// How many times each of its seconds was played, repeats included.
    pub plays: i64,
}

/// The seconds of one heartbeat of a key.
#[derive(Clone, Copy)]
struct Span {
    start_sec: i32,
    end_sec: i32,
    element: i64,
}

/// A whole video, as the batch saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole<'a> {
    /// The video, region and day it belongs to.
    pub key: Key<'a>,
    pub last_sec: i32,
    /// The sketch of the viewers of any second.
    pub viewers: Vec<u8>,
    /// How many times its seconds were played, all together.
    pub plays: i64,
    /// The heartbeats that said so.
    pub heartbeats: i64,
}

/// The rows that a batch folds to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded<'a> {
    /// Runs, ascending by key and second and without overlaps.
    pub runs: Vec<Run<'a>>,
    /// Whole videos, ascending by key.
    pub wholes: Vec<Whole<'a>>,
}

/// Folds a batch.
// A function of its own however the program is linked: `script/count-instructions` counts between its ends.
#[inline(never)]
pub fn fold<'a>(heartbeats: &[HashedHeartbeat<'a>]) -> Folded<'a> {
    let mut spans_by_key: HashMap<Key<'a>, Vec<Span>, fnv::FnvBuildHasher> = HashMap::default();
    for heartbeat in heartbeats {
        let HashedHeartbeat { video_id, region, captured_on, start_sec, end_sec, viewer_hash } = *heartbeat;
        let key = Key { video_id, captured_on, region };
        let element = sketch::element(viewer_hash);
        spans_by_key.entry(key).or_default().push(Span { start_sec, end_sec, element });
    }
    let mut groups: Vec<_> = spans_by_key.into_iter().collect();
    groups.sort_unstable_by_key(|&(key, _)| key);

    let mut folded = Folded::default();
    for (key, mut spans) in groups {
        spans.sort_unstable_by_key(|span| (span.element, span.start_sec));
        let heartbeats = spans.len() as i64;
        join(&mut spans);
        folded.wholes.push(whole(key, &spans, heartbeats));
        fold_key(key, spans, &mut folded.runs);
    }
    folded
}

/// Joins spans of one viewer that follow on each other, as a session cut into beats does: nothing changes where they
/// meet. They come ascending by element, then by second.
fn join(spans: &mut Vec<Span>) {
    spans.dedup_by(|next, last| {
        let follows = next.element == last.element && next.start_sec == last.end_sec + 1;
        if follows {
            last.end_sec = next.end_sec;
        }
        follows
    });
}

/// Unites the viewers of spans, which come ascending by element.
fn whole<'a>(key: Key<'a>, spans: &[Span], heartbeats: i64) -> Whole<'a> {
    let mut elements: Vec<i64> = spans.iter().map(|span| span.element).collect();
    elements.dedup();
    Whole {
        key,
        last_sec: spans.iter().map(|span| span.end_sec).max().unwrap_or(0),
        viewers: sketch::encode(&elements),
        plays: spans.iter().map(|span| i64::from(span.end_sec - span.start_sec + 1)).sum(),
        heartbeats,
    }
}

/// Sweeps over the seconds at which the set of viewers may change.
fn fold_key<'a>(key: Key<'a>, mut spans: Vec<Span>, runs: &mut Vec<Run<'a>>) {
    let first_run = runs.len();
    let mut cuts: Vec<i32> = spans.iter().flat_map(cuts).collect();
    cuts.sort_unstable();
    cuts.dedup();
    // They are sorted by second and then by element, so that those that join at a cut come sorted.
    spans.sort_unstable_by_key(|span| (span.start_sec, span.element));

    // The viewers present, ascending by element, so that sketching a set is one pass over it.
    let mut present: Vec<Span> = Vec::new();
    let mut merged: Vec<Span> = Vec::new();
    let mut elements: Vec<i64> = Vec::new();
    let mut waiting = spans.as_slice();
    for cut in cuts.windows(2) {
        let (start_sec, end_sec) = (cut[0], cut[1] - 1);
        present.retain(|span| span.end_sec >= start_sec);
        let joining = waiting.partition_point(|span| span.start_sec == start_sec);
        merge(&present, &waiting[..joining], &mut merged);
        std::mem::swap(&mut present, &mut merged);
        waiting = &waiting[joining..];
        if present.is_empty() {
            continue;
        }

        elements.clear();
        elements.extend(present.iter().map(|span| span.element));
        elements.dedup();
        let (viewers, plays) = (sketch::encode(&elements), present.len() as i64);
        match runs[first_run..].last_mut() {
            // Somebody left and somebody came, yet the set is the same: a viewer who rewound looks like this.
            Some(last)
                if last.end_sec + 1 == start_sec
                    && start_sec % BLOCK_SECS != 0
                    && last.plays == plays
                    && last.viewers == viewers =>
            {
                last.end_sec = end_sec;
            }
            _ => runs.push(Run { key, start_sec, end_sec, viewers, plays }),
        }
    }
}

/// Returns the seconds at which a span changes the set of viewers, and the edges of blocks that it crosses, because no
/// run may cross them.
fn cuts(span: &Span) -> impl Iterator<Item = i32> + use<> {
    let first_edge = (span.start_sec / BLOCK_SECS + 1) * BLOCK_SECS;
    let edges = (first_edge..=span.end_sec).step_by(BLOCK_SECS as usize);
    [span.start_sec, span.end_sec + 1].into_iter().chain(edges)
}

/// Merges two lists that ascend by element.
fn merge(a: &[Span], b: &[Span], merged: &mut Vec<Span>) {
    merged.clear();
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(first), Some(second)) = (a.peek(), b.peek()) {
        merged.extend(if first.element <= second.element { a.next() } else { b.next() });
    }
    merged.extend(a);
    merged.extend(b);
}

#[cfg(test)]
mod tests;
