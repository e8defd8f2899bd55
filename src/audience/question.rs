//! The questions about one video: which of its viewers saw these ranges and missed those.

use std::fmt;

use super::sample::Watch;
use crate::events::heartbeat::MAX_SEC;

/// The most conditions of one question.
pub const MAX_CONDITIONS: usize = 10;
/// Who watched this part of a range, in per cent of its seconds, has seen most of it.
pub const MOST_PERCENT: i64 = 90;

/// Seconds of a video, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    pub start_sec: i32,
    pub end_sec: i32,
}

impl Range {
    /// Reads a range as it is asked for: `0-30`, or `7` for a single second.
    pub fn parse(text: &str) -> Option<Range> {
        let (start, end) = text.split_once('-').unwrap_or((text, text));
        let second = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i32>().ok().filter(|&second| digits && i64::from(second) <= MAX_SEC)
        };
        let range = Range { start_sec: second(start)?, end_sec: second(end)? };
        (range.start_sec <= range.end_sec).then_some(range)
    }

    fn seconds(self) -> i64 {
        i64::from(self.end_sec) - i64::from(self.start_sec) + 1
    }

    /// Counts the seconds of a stretch inside of this range.
    fn overlap(self, start_sec: i32, end_sec: i32) -> i64 {
        let (first, last) = (self.start_sec.max(start_sec), self.end_sec.min(end_sec));
        (i64::from(last) - i64::from(first) + 1).max(0)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start_sec, self.end_sec)
    }
}

/// What is asked of a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Any second of the range was watched.
    Saw(Range),
    /// No second of the range was watched.
    Missed(Range),
    /// At least [`MOST_PERCENT`] of its seconds were watched.
    SawMost(Range),
}

/// Makes one kind of condition.
pub type Kind = fn(Range) -> Condition;

impl Condition {
    /// Returns true if a viewer of these stretches, which ascend and do not overlap, meets the condition.
    fn is_met(self, stretches: &[(i32, i32)]) -> bool {
        let (Condition::Saw(range) | Condition::Missed(range) | Condition::SawMost(range)) = self;
        let seen: i64 = stretches.iter().map(|&(start, end)| range.overlap(start, end)).sum();
        match self {
            Condition::Saw(_) => seen > 0,
            Condition::Missed(_) => seen == 0,
            Condition::SawMost(range) => 100 * seen >= MOST_PERCENT * range.seconds(),
        }
    }
}

/// Counts viewers, and those of them who meet all conditions. The stretches may be of several days and regions of one salt
/// epoch: a viewer has seen what they saw in any of them.
pub fn count(watches: &mut [Watch<'_>], conditions: &[Condition]) -> Counted {
    watches.sort_unstable_by_key(|watch| (watch.element, watch.start_sec));
    let mut counted = Counted::default();
    let mut stretches: Vec<(i32, i32)> = Vec::new();
    for of_viewer in watches.chunk_by(|a, b| a.element == b.element) {
        stretches.clear();
        for &Watch { start_sec, end_sec, .. } in of_viewer {
            match stretches.last_mut() {
                Some((_, last)) if start_sec <= *last => *last = end_sec.max(*last),
                _ => stretches.push((start_sec, end_sec)),
            }
        }
        counted.all += 1;
        counted.matching += u64::from(conditions.iter().all(|condition| condition.is_met(&stretches)));
    }
    counted
}

/// Sampled viewers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Whoever watched anything.
    pub all: u64,
    /// Those who meet the conditions.
    pub matching: u64,
}

#[cfg(test)]
mod tests;
