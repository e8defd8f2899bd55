//! Runs as compaction works on them, and the sweep that merges them. Pure and hot.
//!
//! ```text
//! shard run      ├─── A, 1 play ───┤
//! canonical run            ├──── B, 2 plays ────┤
//! merged         ├─ A, 1 ─┤├ A B, 3┤├─ B, 2 ─────┤
//! ```

use std::{cmp::Reverse, collections::BinaryHeap};

use super::BLOCK_SECS;
use crate::sketch::{Present, Union, Unreadable};

/// A stretch of seconds with one set of viewers, of one video, region and day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub start_sec: i32,
    pub end_sec: i32,
    /// The sketch of the viewers of each of its seconds.
    pub viewers: Vec<u8>,
    /// How many times each of its seconds was played, repeats included.
    pub plays: i64,
}

impl Run {
    /// Returns how many seconds it covers.
    pub fn seconds(&self) -> i64 {
        i64::from(self.end_sec - self.start_sec) + 1
    }

    /// Returns the block of its first second.
    pub fn block(&self) -> i32 {
        self.start_sec / BLOCK_SECS
    }

    /// Cuts it at the edges of blocks, ascending.
    pub fn by_block(self) -> impl Iterator<Item = Run> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let mut run = rest.take()?;
            let edge = (run.block() + 1) * BLOCK_SECS;
            if run.end_sec >= edge {
                rest = Some(Run { start_sec: edge, ..run.clone() });
                run.end_sec = edge - 1;
            }
            Some(run)
        })
    }
}

/// Merges runs of one video, region, day and block, which may overlap in any way: every second has the union of the viewers
/// and the sum of the plays of the runs that cover it. The merged runs ascend and do not overlap, and two that follow on
/// each other differ.
pub fn merge(runs: impl Iterator<Item = Run>) -> Result<Vec<Run>, Unreadable> {
    let mut runs: Vec<Run> = runs.collect();
    runs.sort_unstable_by_key(|run| run.start_sec);
    let mut sweep = Sweep::new(&runs);
    let mut merged: Vec<Run> = Vec::with_capacity(runs.len());
    let mut next = 0;
    let mut start_sec = 0;
    loop {
        sweep.leave_before(start_sec)?;
        if sweep.ending.is_empty() {
            let Some(run) = runs.get(next) else { return Ok(merged) };
            start_sec = run.start_sec;
        }
        while runs.get(next).is_some_and(|run| run.start_sec == start_sec) {
            sweep.come(next);
            next += 1;
        }
        let end_sec = sweep.until().min(runs.get(next).map_or(i32::MAX, |run| run.start_sec - 1));
        let (viewers, plays) = (sweep.viewers()?, sweep.plays);
        match merged.last_mut() {
            Some(last) if last.end_sec + 1 == start_sec && last.plays == plays && last.viewers == viewers => {
                last.end_sec = end_sec;
            }
            _ => merged.push(Run { start_sec, end_sec, viewers, plays }),
        }
        start_sec = end_sec + 1;
    }
}

/// The runs that cover the second at which the sweep stands.
struct Sweep<'a> {
    runs: &'a [Run],
    /// These runs; the next to end is on top.
    ending: BinaryHeap<Reverse<(i32, usize)>>,
    plays: i64,
    present: Present,
    /// The viewers of the run that `present` takes in.
    entering: Union,
    /// The runs that `present` does not know yet: a run that nothing overlaps is passed on as it is.
    waiting: Vec<usize>,
}

impl<'a> Sweep<'a> {
    fn new(runs: &'a [Run]) -> Self {
        Sweep {
            runs,
            ending: BinaryHeap::new(),
            plays: 0,
            present: Present::default(),
            entering: Union::default(),
            waiting: Vec::new(),
        }
    }

    fn come(&mut self, index: usize) {
        self.ending.push(Reverse((self.runs[index].end_sec, index)));
        self.plays += self.runs[index].plays;
        self.waiting.push(index);
    }

    fn leave_before(&mut self, second: i32) -> Result<(), Unreadable> {
        while let Some(&Reverse((end_sec, index))) = self.ending.peek()
            && end_sec < second
        {
            self.ending.pop();
            self.plays -= self.runs[index].plays;
            match self.waiting.iter().position(|waiting| *waiting == index) {
                Some(place) => {
                    self.waiting.swap_remove(place);
                }
                None => self.present.leave(index, &self.runs[index].viewers)?,
            }
        }
        Ok(())
    }

    /// Returns the last second up to which nobody leaves.
    fn until(&self) -> i32 {
        self.ending.peek().map_or(i32::MAX, |Reverse((end_sec, _))| *end_sec)
    }

    fn viewers(&mut self) -> Result<Vec<u8>, Unreadable> {
        if let ([index], 1) = (self.waiting.as_slice(), self.ending.len()) {
            return Ok(self.runs[*index].viewers.clone());
        }
        for index in self.waiting.drain(..) {
            self.entering.clear();
            self.entering.add(&self.runs[index].viewers)?;
            self.present.enter(index, &self.entering);
        }
        Ok(self.present.encode())
    }
}

#[cfg(test)]
mod tests;
