//! Rows in, the buckets of each salt epoch out: sketches are united first and estimated last. Pure.
//!
//! A sweep from the last second to the first. A run that began before the open bucket stands until the sweep has come to
//! its first second; it is cut at the buckets and never expanded to seconds, so a run of an hour costs one union where
//! nothing else changes beside it.
//!
//! ```text
//!             bucket 0    bucket 1    bucket 2
//! run A    │      ├──────┼───────────┼────┤      │  stands from 2 to 1, leaves in 0
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
    /// The epoch's place in the range, counted from 0.
    pub epoch: usize,
    pub start_sec: u32,
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
    /// The bucket that is still added to; its estimates are taken when it is closed.
    open: Option<BucketRow>,
    standing: Standing,
    /// The viewers of the open bucket.
    viewers: Union,
    /// The viewers of any bucket of the epoch so far.
    reached: Union,
    /// True once a part came to the open bucket or its union was made again: else the last estimates hold.
    changed: bool,
    /// True once `viewers` holds somebody who may be absent from the next bucket.
    left: bool,
}

impl Buckets {
    /// Makes an empty sweep with buckets of `resolution` seconds.
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
        self.changed = true;
        if part.start_sec < first_sec {
            self.standing.push(part, first_sec, self.resolution, &mut self.viewers)
        } else {
            self.left = true;
            self.viewers.add(part.viewers)
        }
    }

    /// Ends the sweep and returns the buckets, by epoch and bucket ascending.
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
            self.standing.unite_into(&mut self.viewers);
            self.changed = true;
        }
        let first_sec = bucket * self.resolution;
        let (seconds_played, leaving) = self.standing.pass(first_sec, self.resolution)?;
        self.left = leaving;
        let last_sec = first_sec + self.resolution - 1;
        self.open = Some(BucketRow { last_sec, seconds_played, ..empty(epoch, bucket) });
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
    /// The runs that began before the next bucket too; the one that begins last is on top, as the sweep meets it first.
    runs: BinaryHeap<StandingRun>,
    /// The viewers of `runs`. A run that leaves costs as much as it has viewers, however many others stand.
    viewers: Present,
    /// The sum of the plays of `runs`, a second.
    plays: u64,
    /// The runs that begin in the next bucket, as most short ones do. All leave there, so one union holds them.
    brief: Brief,
    /// The viewers of the part that came last.
    part: Union,
    /// The number of runs that ever stood; the next one is told by it.
    numbers: usize,
    /// Buffers of runs that left, for those that come.
    spare: Vec<Vec<u8>>,
}

/// The runs that are present in the next bucket, and in none before it.
#[derive(Default)]
struct Brief {
    any: bool,
    viewers: Union,
    /// The plays of these runs in that bucket, all together.
    plays: u64,
}

impl Standing {
    fn is_empty(&self) -> bool {
        self.runs.is_empty() && !self.brief.any
    }

    /// Adds a run that began before `first_sec`, the first second of the open bucket, whose viewers are in `open`.
    fn push(
        &mut self,
        part: Part<'_>,
        first_sec: u32,
        resolution: u32,
        open: &mut Union,
    ) -> Result<(), Unreadable> {
        // To take the registers of a sketch apart costs ten times as much as to add them, so it is done once.
        self.part.clear();
        self.part.add(part.viewers)?;
        open.merge(&self.part);
        if part.start_sec >= first_sec - resolution {
            self.brief.any = true;
            self.brief.plays += part.plays * u64::from(first_sec - part.start_sec);
            self.brief.viewers.merge(&self.part);
            return Ok(());
        }
        self.numbers += 1;
        self.viewers.enter(self.numbers, &self.part);
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

    fn unite_into(&mut self, viewers: &mut Union) {
        self.viewers.unite_into(viewers);
        if self.brief.any {
            viewers.merge(&self.brief.viewers);
        }
    }

    /// Takes out the runs that begin in the bucket from `first_sec` on; returns how often all that stood played its
    /// seconds, and whether any begin there.
    fn pass(&mut self, first_sec: u32, resolution: u32) -> Result<(u64, bool), Unreadable> {
        let mut seconds_played = self.plays * u64::from(resolution) + self.brief.plays;
        let mut leaving = self.brief.any;
        self.brief.any = false;
        self.brief.plays = 0;
        self.brief.viewers.clear();
        while let Some(run) = self.runs.peek().filter(|run| run.start_sec >= first_sec) {
            // The seconds before its first are none of its.
            seconds_played -= run.plays * u64::from(run.start_sec - first_sec);
            leaving = true;
            self.plays -= run.plays;
            self.viewers.leave(run.number, &run.sketch)?;
            self.spare.extend(self.runs.pop().map(|run| run.sketch));
        }
        Ok((seconds_played, leaving))
    }
}

/// A run of which the sweep has not come to the first second yet; sorts by that.
struct StandingRun {
    start_sec: u32,
    /// The number that tells it from the others that stand.
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
