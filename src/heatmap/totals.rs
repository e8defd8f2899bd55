//! Whole-video rows added up name by name, where the names are videos or regions. Pure.

use crate::sketch::{Union, Unreadable};

/// The sums of one name. The rounded estimates of its epochs are added already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// A video or a region.
    pub name: String,
    /// Distinct viewers of any second.
    pub viewers: u64,
    /// The sum of `plays` over all seconds.
    pub seconds_played: u64,
    pub last_sec: u32,
    /// True if `viewers` was counted and not estimated, in every epoch.
    pub exact: bool,
}

/// A whole-video row: of one video, day and region, canonical or of a shard.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The name it counts for.
    pub name: &'a str,
    /// The salt epoch of its day.
    pub epoch: usize,
    pub last_sec: u32,
    /// The sum of `plays` over all seconds.
    pub plays: u64,
    /// The sketch of the viewers of any second.
    pub viewers: &'a [u8],
}

/// Takes the rows name by name, in each by epoch: one union is held at a time.
#[derive(Default)]
pub struct Totals {
    closed: Vec<Total>,
    /// The name that is still added to, and its epoch whose viewers are not counted yet.
    open: Option<(Total, usize)>,
    viewers: Union,
}

impl Totals {
    /// Adds a row.
    pub fn add(&mut self, part: Part<'_>) -> Result<(), Unreadable> {
        if self.open.as_ref().is_some_and(|(open, _)| open.name != part.name) {
            self.close_name();
        }
        if self.open.as_ref().is_some_and(|(_, epoch)| *epoch != part.epoch) {
            self.close_epoch();
        }
        let (open, epoch) = self.open.get_or_insert_with(|| {
            let name = part.name.to_owned();
            (Total { name, viewers: 0, seconds_played: 0, last_sec: 0, exact: true }, part.epoch)
        });
        *epoch = part.epoch;
        open.seconds_played += part.plays;
        open.last_sec = open.last_sec.max(part.last_sec);
        self.viewers.add(part.viewers)
    }

    /// The names, in the order in which they came.
    pub fn finish(mut self) -> Vec<Total> {
        self.close_name();
        self.closed
    }

    fn close_name(&mut self) {
        self.close_epoch();
        self.closed.extend(self.open.take().map(|(total, _)| total));
    }

    fn close_epoch(&mut self) {
        if let Some((open, _)) = &mut self.open {
            open.viewers += self.viewers.cardinality();
            open.exact &= self.viewers.is_exact();
        }
        self.viewers.clear();
    }
}

/// Puts the most watched first and drops the others.
pub fn keep_most_watched(list: &mut Vec<Total>, limit: usize) {
    list.sort_unstable_by(|a, b| b.viewers.cmp(&a.viewers).then_with(|| a.name.cmp(&b.name)));
    list.truncate(limit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::{element, encode};

    fn total(name: &str, viewers: u64, seconds_played: u64, last_sec: u32) -> Total {
        Total { name: name.into(), viewers, seconds_played, last_sec, exact: true }
    }

    #[test]
    fn viewers_are_united_within_an_epoch_and_added_over_epochs() {
        let mut totals = Totals::default();
        for (name, epoch, last_sec, plays, viewers) in
            [("a", 0, 9, 3, &[1, 2][..]), ("a", 0, 4, 2, &[2]), ("a", 3, 7, 1, &[2]), ("b", 3, 1, 5, &[2, 7])]
        {
            let mut elements: Vec<i64> = viewers.iter().copied().map(element).collect();
            elements.sort_unstable();
            let viewers = &encode(&elements);
            totals.add(Part { name, epoch, last_sec, plays, viewers }).expect("a sketch");
        }
        assert_eq!(totals.finish(), [total("a", 3, 6, 9), total("b", 2, 5, 1)]);
        assert_eq!(Totals::default().finish(), []);
    }

    #[test]
    fn the_most_watched_come_first_and_equals_by_name() {
        let mut list =
            vec![total("c", 1, 0, 0), total("b", 2, 0, 0), total("d", 9, 0, 0), total("a", 2, 0, 0)];
        keep_most_watched(&mut list, 3);
        assert_eq!(list, [total("d", 9, 0, 0), total("a", 2, 0, 0), total("b", 2, 0, 0)]);
    }
}
