//! Rows in, the buckets of each salt epoch out: sketches are united first and estimated last. Pure.

use super::BucketRow;
use crate::sketch::{Union, Unreadable};

/// A row of a strip: a second, or a stretch of them, of one region and day, canonical or of a shard.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Which epoch of the range, counted from 0.
    pub epoch: usize,
    /// The bucket it falls into.
    pub bucket: u32,
    /// Its last watched second.
    pub last_sec: u32,
    /// How many times its seconds were played, all together.
    pub plays: u64,
    /// The sketch of its viewers.
    pub viewers: &'a [u8],
}

/// Takes the rows by epoch ascending, in each the last bucket first: then the viewers of a bucket or any later one are
/// those of the buckets so far, and no more than two unions are held however long the video is.
#[derive(Default)]
pub struct Buckets {
    closed: Vec<BucketRow>,
    /// The bucket that is still added to; what its union says is taken when it is closed.
    open: Option<BucketRow>,
    viewers: Union,
    reached: Union,
}

impl Buckets {
    /// Adds a row.
    pub fn add(&mut self, part: Part<'_>) -> Result<(), Unreadable> {
        let at = |row: &BucketRow| (row.epoch, row.bucket);
        if self.open.as_ref().is_some_and(|open| at(open) != (part.epoch, part.bucket)) {
            self.close();
        }
        if self.closed.last().is_some_and(|last| last.epoch != part.epoch) && self.open.is_none() {
            self.reached.clear();
        }
        let open = self.open.get_or_insert(BucketRow {
            epoch: part.epoch,
            bucket: part.bucket,
            viewers: 0,
            reached: 0,
            seconds_played: 0,
            last_sec: 0,
            exact: true,
        });
        open.seconds_played += part.plays;
        open.last_sec = open.last_sec.max(part.last_sec);
        self.viewers.add(part.viewers)
    }

    /// The buckets, by epoch and bucket ascending.
    pub fn finish(mut self) -> Vec<BucketRow> {
        self.close();
        for epoch in self.closed.chunk_by_mut(|a, b| a.epoch == b.epoch) {
            epoch.reverse();
        }
        self.closed
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.reached.merge(&self.viewers);
            self.closed.push(BucketRow {
                viewers: self.viewers.cardinality(),
                reached: self.reached.cardinality(),
                exact: self.reached.is_exact(),
                ..open
            });
            self.viewers.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::{element, encode};

    fn sketch(viewers: &[i64]) -> Vec<u8> {
        let mut elements: Vec<i64> = viewers.iter().copied().map(element).collect();
        elements.sort_unstable();
        encode(&elements)
    }

    #[test]
    fn each_epoch_has_its_own_viewers() {
        let mut buckets = Buckets::default();
        for (epoch, bucket, last_sec, plays, viewers) in [
            (0, 7, 35, 1, &[1][..]),
            (0, 2, 12, 5, &[1, 2]),
            (0, 2, 14, 4, &[2, 3]),
            (0, 0, 4, 2, &[3]),
            (2, 7, 36, 3, &[4, 5]),
            (2, 0, 3, 1, &[]),
        ] {
            let viewers = &sketch(viewers);
            buckets.add(Part { epoch, bucket, last_sec, plays, viewers }).expect("a sketch");
        }
        let row = |epoch, bucket, viewers, reached, seconds_played, last_sec| BucketRow {
            epoch,
            bucket,
            viewers,
            reached,
            seconds_played,
            last_sec,
            exact: true,
        };
        assert_eq!(
            buckets.finish(),
            [
                row(0, 0, 1, 3, 2, 4),
                row(0, 2, 3, 3, 9, 14),
                row(0, 7, 1, 1, 1, 35),
                row(2, 0, 0, 2, 1, 3),
                row(2, 7, 2, 2, 3, 36),
            ]
        );
        assert_eq!(Buckets::default().finish(), []);
    }

    #[test]
    fn a_bucket_is_as_exact_as_those_behind_it() {
        let many = sketch(&Vec::from_iter(0..400));
        let few = sketch(&[1]);
        let mut buckets = Buckets::default();
        for (bucket, viewers) in [(9, &few), (5, &many), (0, &few)] {
            buckets.add(Part { epoch: 0, bucket, last_sec: 0, plays: 1, viewers }).expect("a sketch");
        }
        let exact: Vec<bool> = buckets.finish().iter().map(|row| row.exact).collect();
        assert_eq!(exact, [false, false, true]);
    }
}
