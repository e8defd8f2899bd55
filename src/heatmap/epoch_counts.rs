//! The rounded estimates of a level's rows in a salt epoch that is over: no answer needs more of it. Pure.

use crate::sketch::{Union, Unreadable};

/// The counts of one video, region and level in an epoch, a value a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    pub last_sec: i32,
    /// The union of all buckets is an explicit set.
    pub exact: bool,
    /// The numbers of the watched buckets, ascending.
    pub bucket: Vec<i32>,
    /// The viewers of each.
    pub viewers: Vec<i64>,
    /// The viewers of each or any later one.
    pub reached: Vec<i64>,
    /// The plays of each.
    pub plays: Vec<i64>,
}

/// Takes rows by bucket descending: the viewers of a bucket or any later one are those of the buckets so far.
#[derive(Default)]
pub struct EpochCounts {
    counted: Counted,
    viewers: Union,
    reached: Union,
}

impl EpochCounts {
    /// Adds a row.
    pub fn add(&mut self, bucket: i32, last_sec: i32, plays: i64, viewers: &[u8]) -> Result<(), Unreadable> {
        if self.counted.bucket.last() != Some(&bucket) {
            self.close();
            self.counted.bucket.push(bucket);
            self.counted.plays.push(0);
        }
        if let Some(sum) = self.counted.plays.last_mut() {
            *sum += plays;
        }
        self.counted.last_sec = self.counted.last_sec.max(last_sec);
        self.viewers.add(viewers)
    }

    /// The counts, by bucket ascending.
    pub fn finish(mut self) -> Counted {
        self.close();
        let mut counted = self.counted;
        counted.exact = self.reached.is_exact();
        counted.bucket.reverse();
        counted.viewers.reverse();
        counted.reached.reverse();
        counted.plays.reverse();
        counted
    }

    fn close(&mut self) {
        if self.counted.bucket.len() > self.counted.viewers.len() {
            self.reached.merge(&self.viewers);
            self.counted.viewers.push(self.viewers.cardinality() as i64);
            self.counted.reached.push(self.reached.cardinality() as i64);
            self.viewers.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::{element, encode};

    #[test]
    fn buckets_are_united_over_days_and_counted_last() {
        let sketch = |viewers: &[i64]| {
            let mut elements: Vec<i64> = viewers.iter().copied().map(element).collect();
            elements.sort_unstable();
            encode(&elements)
        };
        let mut counts = EpochCounts::default();
        for (bucket, last_sec, plays, viewers) in
            [(9, 47, 2, &[1, 2][..]), (4, 24, 5, &[2]), (4, 23, 1, &[3]), (0, 0, 1, &[1])]
        {
            counts.add(bucket, last_sec, plays, &sketch(viewers)).expect("a sketch");
        }
        let counted = counts.finish();
        assert_eq!(
            counted,
            Counted {
                last_sec: 47,
                exact: true,
                bucket: vec![0, 4, 9],
                viewers: vec![1, 2, 2],
                reached: vec![3, 3, 2],
                plays: vec![1, 6, 2],
            }
        );
        assert_eq!(EpochCounts::default().finish(), Counted { exact: true, ..Counted::default() });
    }
}
