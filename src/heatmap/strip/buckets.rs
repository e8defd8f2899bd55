//! Rows in, the buckets of each salt epoch out: sketches are united first and estimated last. Pure.
//!
//! A sweep from the last second to the first. A run that began before the open bucket stands until the sweep has come to
//! its first second; it is cut at the buckets and never expanded to seconds, so a run of an hour costs one union where
//! nothing else changes beside it.
//!
//! ```text
//!             bucket 0    bucket 1    bucket 2
//! run A    │      ├──────┼───────────┼────┤      │  stands in 2 and 1, leaves in 0
//! run B    │             │  ├─────┤  │           │  lies in one bucket: it never stands
//!                                       ◄── sweep
//! ```

use std::{cmp::Ordering, collections::BinaryHeap};

use super::BucketRow;
use crate::sketch::{Present, Union, Unreadable};

/// A stretch of seconds with one set of viewers, of one region and day.
///
/// A row of a level counts as the last watched one of its seconds: it lies in one bucket, as its level divides the
/// resolution, and its plays are those of all its seconds.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Which epoch of the range, counted from 0.
    pub epoch: usize,
    /// Its first second.
    pub start_sec: u32,
    /// Its last second, inclusive.
    pub end_sec: u32,
    /// How many times each of its seconds was played.
    pub plays: u64,
    /// The sketch of its viewers.
    pub viewers: &'a [u8],
}

/// Takes the parts by epoch ascending, in each by last second descending: then the viewers of a bucket or any later one
/// are those of the parts so far. Two unions are held however long the video is, and of the parts those that are present
/// in the open bucket and the next.
pub struct Buckets {
    resolution: u32,
    closed: Vec<BucketRow>,
    /// The bucket that is still added to; what its union says is taken when it is closed.
    open: Option<BucketRow>,
    standing: Standing,
    /// Those present in the open bucket.
    viewers: Union,
    /// Those present in any bucket of the epoch so far.
    reached: Union,
    /// True once a part came to the open bucket or its union was made again: else the last estimates hold.
    changed: bool,
    /// True once `viewers` holds somebody who may be absent from the next bucket.
    left: bool,
}

impl Buckets {
    /// Nothing yet, in buckets of `resolution` seconds.
    pub fn new(resolution: u32) -> Self {
        Buckets {
            resolution,
            closed: Vec::new(),
            open: None,
            standing: Standing::default(),
            viewers: Union::default(),
            reached: Union::default(),
            changed: false,
            left: false,
        }
    }

    /// Adds a part.
    pub fn add(&mut self, part: Part<'_>) -> Result<(), Unreadable> {
        let bucket = part.end_sec / self.resolution;
        self.sweep_to(Some((part.epoch, bucket)))?;
        let first_sec = bucket * self.resolution;
        if self.open.is_none() {
            if self.closed.last().is_some_and(|last| last.epoch != part.epoch) {
                self.reached.clear();
            }
            self.viewers.clear();
            self.left = false;
        }
        let open = self.open.get_or_insert_with(|| empty(part.epoch, bucket));
        let seconds = part.end_sec - part.start_sec.max(first_sec) + 1;
        open.seconds_played += part.plays * u64::from(seconds);
        open.last_sec = open.last_sec.max(part.end_sec);
        self.viewers.add(part.viewers)?;
        self.changed = true;
        if part.start_sec < first_sec {
            self.standing.push(part)?;
        } else {
            self.left = true;
        }
        Ok(())
    }

    /// The buckets, by epoch and bucket ascending.
    pub fn finish(mut self) -> Result<Vec<BucketRow>, Unreadable> {
        self.sweep_to(None)?;
        for epoch in self.closed.chunk_by_mut(|a, b| a.epoch == b.epoch) {
            epoch.reverse();
        }
        Ok(self.closed)
    }

    /// Closes the open bucket and those before it, until it comes to `next` or nothing stands.
    fn sweep_to(&mut self, next: Option<(usize, u32)>) -> Result<(), Unreadable> {
        while let Some(open) = self.open.take_if(|open| Some((open.epoch, open.bucket)) != next) {
            self.close(open);
            if !self.standing.is_empty() {
                self.step(open.epoch, open.bucket - 1)?;
            }
        }
        Ok(())
    }

    /// Opens the bucket before the one just closed, for the runs that stand.
    fn step(&mut self, epoch: usize, bucket: u32) -> Result<(), Unreadable> {
        if self.left {
            self.viewers.clear();
            self.standing.viewers.unite_into(&mut self.viewers);
            self.changed = true;
        }
        let first_sec = bucket * self.resolution;
        let whole = self.standing.plays * u64::from(self.resolution);
        // Of the runs that begin in this bucket, the seconds before their first are none of theirs.
        let (begun, absent) = self.standing.pop_from(first_sec)?;
        self.left = begun;
        let last_sec = first_sec + self.resolution - 1;
        self.open = Some(BucketRow { last_sec, seconds_played: whole - absent, ..empty(epoch, bucket) });
        Ok(())
    }

    fn close(&mut self, open: BucketRow) {
        let row = match self.closed.last() {
            // The same runs stood in the bucket behind, and nobody else came.
            Some(last) if !self.changed => {
                BucketRow { viewers: last.viewers, reached: last.reached, exact: last.exact, ..open }
            }
            _ => {
                self.reached.merge(&self.viewers);
                BucketRow {
                    viewers: self.viewers.cardinality(),
                    reached: self.reached.cardinality(),
                    exact: self.reached.is_exact(),
                    ..open
                }
            }
        };
        self.changed = false;
        self.closed.push(row);
    }
}

fn empty(epoch: usize, bucket: u32) -> BucketRow {
    BucketRow { epoch, bucket, viewers: 0, reached: 0, seconds_played: 0, last_sec: 0, exact: true }
}

/// The runs that began before the open bucket.
#[derive(Default)]
struct Standing {
    /// The latest beginning first: the sweep comes to it first.
    runs: BinaryHeap<StandingRun>,
    /// Their viewers: a run that leaves costs as much as it has viewers, however many stand.
    viewers: Present,
    /// The sum of their plays a second.
    plays: u64,
    /// How many ever stood.
    numbers: usize,
    /// The buffers of those that left.
    spare: Vec<Vec<u8>>,
}

impl Standing {
    fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    fn push(&mut self, part: Part<'_>) -> Result<(), Unreadable> {
        self.numbers += 1;
        self.viewers.enter(self.numbers, part.viewers)?;
        self.plays += part.plays;
        let mut sketch = self.spare.pop().unwrap_or_default();
        sketch.clear();
        sketch.extend_from_slice(part.viewers);
        self.runs.push(StandingRun {
            start_sec: part.start_sec,
            number: self.numbers,
            plays: part.plays,
            sketch,
        });
        Ok(())
    }

    /// Takes out the runs that begin at this second or later; returns whether there were any, and how many plays they
    /// would have had from this second to where they begin.
    fn pop_from(&mut self, first_sec: u32) -> Result<(bool, u64), Unreadable> {
        let (mut any, mut absent) = (false, 0);
        while let Some(run) = self.runs.peek().filter(|run| run.start_sec >= first_sec) {
            absent += run.plays * u64::from(run.start_sec - first_sec);
            self.plays -= run.plays;
            self.viewers.leave(run.number, &run.sketch)?;
            self.spare.extend(self.runs.pop().map(|run| run.sketch));
            any = true;
        }
        Ok((any, absent))
    }
}

/// A run of which the sweep has not come to the first second yet; sorts by that.
struct StandingRun {
    start_sec: u32,
    /// Its own among those that stand.
    number: usize,
    plays: u64,
    sketch: Vec<u8>,
}

impl Ord for StandingRun {
    fn cmp(&self, other: &Self) -> Ordering {
        self.start_sec.cmp(&other.start_sec)
    }
}

impl PartialOrd for StandingRun {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for StandingRun {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for StandingRun {}

#[cfg(test)]
mod tests;
