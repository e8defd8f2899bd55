//! A video has at most so many regions on a day. What comes from yet another one is counted under the default region: a
//! region is a row in many tables, and whoever sends may name what they like.
//!
//! Who decides is the fold, which has the lane of the video to itself, so that the count is exact. It looks at the regions
//! that there are only once this process has seen some of that video and day, and then another: nearly no step looks.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    mem,
    sync::{LazyLock, Mutex, PoisonError},
};

use chrono::NaiveDate;

use crate::{
    heatmap,
    ledger::{Element, OTHER_REGION, store::Added},
    postgres::{StoreError, Transaction, default_region},
    views,
};

/// Regions of a video on a day. There are fewer countries, and subdivisions of a few large ones fit too.
pub const MAX_REGIONS: usize = 256;
/// A process that has seen fewer regions of a video and day does not look whether there are too many: so many more may
/// come to be for each process that folds, and each start of one.
const UNCOUNTED_REGIONS: usize = 16;
/// Regions that are remembered before those of videos that nobody watches any more are forgotten; some megabytes.
const MAX_REMEMBERED: usize = 100_000;

/// The regions that this process has seen. It belongs to the process and to no worker, as it only decides when to look.
static SEEN: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);

/// A video and day, and whether views or heartbeats of it are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct VideoDay<'a> {
    pub(super) element: Element,
    pub(super) video_id: &'a str,
    pub(super) day: NaiveDate,
}

/// A region in which elements came, and how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came<'a> {
    pub(super) of: VideoDay<'a>,
    pub(super) region: &'a str,
    pub(super) elements: u64,
}

/// What a step learned, to be remembered once it is committed: hashes of video-days with hashes of their regions.
#[derive(Debug, Default)]
pub(super) struct Learned(Vec<(u64, Vec<u64>)>);

impl Learned {
    pub(super) const NOTHING: Learned = Learned(Vec::new());

    pub(super) fn extend(&mut self, others: Learned) {
        self.0.extend(others.0);
    }
}

/// The regions of a step that count under the default region.
#[derive(Debug, Default)]
pub(super) struct Overflow<'a> {
    default_region: String,
    regions: HashSet<(VideoDay<'a>, &'a str)>,
}

impl<'a> Overflow<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// Returns what the ledger says of elements that do not count under the region that they came from.
    pub(super) fn told(&self, came: &[Came<'a>]) -> Vec<Added<'a>> {
        let over = came.iter().filter(|came| self.regions.contains(&(came.of, came.region)));
        over.map(|&Came { of: VideoDay { element, video_id, day }, elements, .. }| Added {
            video_id,
            day,
            element,
            outcome: OTHER_REGION,
            elements,
        })
        .collect()
    }

    /// Returns the region under which elements count that came from a region.
    pub(super) fn counted<'s>(&'s self, of: VideoDay<'a>, region: &'a str) -> &'s str
    where
        'a: 's,
    {
        if self.regions.contains(&(of, region)) { &self.default_region } else { region }
    }
}

/// Finds the regions of a step that are too many. `came` has each region of a video and day once, and those of a video and
/// day one behind the other.
pub(super) async fn overflow<'a>(
    tx: &Transaction<'_>,
    came: &[Came<'a>],
) -> Result<(Overflow<'a>, Learned), StoreError> {
    let (mut overflow, mut learned) = (Overflow::default(), Learned::default());
    for of_day in came.chunk_by(|a, b| a.of == b.of) {
        let of = of_day[0].of;
        let Some(key) = asks_to_look(of_day) else {
            learned.0.push(hashes(of_day));
            continue;
        };
        let there = match of.element {
            Element::Heartbeat => heatmap::store::regions::of_day(tx, of.video_id, of.day).await?,
            Element::View => views::store::days::regions_of_day(tx, of.video_id, of.day).await?,
        };
        let there: HashSet<&str> = there.iter().map(String::as_str).collect();
        let (known, mut new): (Vec<Came<'_>>, Vec<Came<'_>>) =
            of_day.iter().copied().partition(|came| there.contains(came.region));
        let room = MAX_REGIONS.saturating_sub(there.len());
        if new.len() > room {
            if overflow.is_empty() {
                overflow.default_region = default_region::read(tx).await?;
            }
            // Where many watch goes before what somebody made up.
            new.sort_unstable_by_key(|came| (u64::MAX - came.elements, came.region));
            for came in new.split_off(room) {
                if came.region != overflow.default_region {
                    overflow.regions.insert((came.of, came.region));
                }
            }
        }
        let kept = known.iter().chain(&new).map(|came| came.region).chain(there);
        learned.0.push((key, kept.map(|region| hash(&region)).collect()));
    }
    Ok((overflow, learned))
}

/// Remembers what a step learned that is committed.
pub(super) fn remember(learned: Learned) {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    for (key, regions) in learned.0 {
        seen.add(key, regions);
    }
}

/// Returns the hash of a video and day if there may be too many regions: this process has seen some, and another comes.
fn asks_to_look(of_day: &[Came<'_>]) -> Option<u64> {
    let (key, regions) = hashes(of_day);
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = seen.of(key);
    let new = regions.iter().filter(|region| !known.contains(region)).count();
    (new > 0 && known.len() + new > UNCOUNTED_REGIONS).then_some(key)
}

fn hashes(of_day: &[Came<'_>]) -> (u64, Vec<u64>) {
    (hash(&of_day[0].of), of_day.iter().map(|came| hash(&came.region)).collect())
}

/// A hash that nobody else can compute: regions are not made up so that they have the hash of one that is there.
fn hash(value: &impl std::hash::Hash) -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEY.hash_one(value)
}

/// The regions of the video-days that came last: two generations, of which the older one is forgotten when the younger one
/// is full.
#[derive(Debug, Default)]
struct Seen {
    young: HashMap<u64, HashSet<u64>>,
    old: HashMap<u64, HashSet<u64>>,
    /// Regions in `young`.
    regions: usize,
}

impl Seen {
    /// The regions of a video-day, which is young again.
    fn of(&mut self, key: u64) -> &HashSet<u64> {
        if let Some(regions) = self.old.remove(&key) {
            self.regions += regions.len();
            self.young.insert(key, regions);
        }
        self.young.entry(key).or_default()
    }

    fn add(&mut self, key: u64, regions: Vec<u64>) {
        let before = self.of(key).len();
        let known = self.young.entry(key).or_default();
        known.extend(regions);
        self.regions += known.len() - before;
        if self.regions > MAX_REMEMBERED {
            self.old = mem::take(&mut self.young);
            self.regions = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_no_more_is_forgotten() {
        let mut seen = Seen::default();
        seen.add(1, vec![7]);
        for key in 2..3 * MAX_REMEMBERED as u64 {
            seen.add(key, vec![7]);
            if key % 1_000 == 0 {
                // It comes again and again.
                assert_eq!(seen.of(1).len(), 1, "{key}");
            }
        }
        assert!(seen.of(2).is_empty());
        assert!(seen.young.len() + seen.old.len() <= 2 * MAX_REMEMBERED + 2);
    }
}
