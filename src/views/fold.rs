//! A window of views becomes what changes in the tables: one change a row, however many views there are. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::rule::counts;
use crate::{
    events::{hashed::HashedView, region::GLOBAL},
    sketch::element,
};

/// A viewer of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    pub video_id: &'a str,
    pub viewer: i64,
}

/// A row of `recent_views`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// First day of the salt epoch of the viewer's hash.
    pub epoch: NaiveDate,
    /// Views that counted.
    pub views: i64,
    pub region: String,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    pub first_counted_at: DateTime<Utc>,
    pub last_counted_at: DateTime<Utc>,
}

impl Recent {
    /// Returns the row of somebody's first view, which counts.
    fn first(view: &HashedView<'_>) -> Self {
        Recent {
            epoch: view.epoch,
            views: 1,
            region: view.region.to_owned(),
            first_at: view.at,
            last_at: view.at,
            first_counted_at: view.at,
            last_counted_at: view.at,
        }
    }

    /// Adds a view; returns true if it counts.
    fn add(&mut self, at: DateTime<Utc>, window: TimeDelta) -> bool {
        self.first_at = self.first_at.min(at);
        self.last_at = self.last_at.max(at);
        let counting = counts(Some((self.first_counted_at, self.last_counted_at)), at, window);
        if counting {
            self.views += 1;
            self.first_counted_at = self.first_counted_at.min(at);
            self.last_counted_at = self.last_counted_at.max(at);
        }
        counting
    }

    /// Adds what another row says of the same person.
    pub fn merge(&mut self, other: &Recent) {
        if other.first_at < self.first_at {
            self.region.clone_from(&other.region);
        }
        self.views += other.views;
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        self.first_counted_at = self.first_counted_at.min(other.first_counted_at);
        self.last_counted_at = self.last_counted_at.max(other.last_counted_at);
    }
}

/// A row of `recent_views` as the window leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRecent {
    pub recent: Recent,
    /// True if there was none before.
    pub is_new: bool,
}

/// What a window adds to a video's totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangedVideo {
    pub views: i64,
    pub new_viewers: i64,
}

/// What a window adds to a row with a sketch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPiece {
    pub epoch: NaiveDate,
    pub views: i64,
    /// Elements of the sketch, in any order, some of them twice.
    pub elements: Vec<i64>,
}

/// Somebody who had not viewed a video recently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewViewer<'a> {
    pub video_id: &'a str,
    pub region: &'a str,
    pub at: DateTime<Utc>,
}

/// The changes that a window makes, by the keys of the tables and sorted by them.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    pub recents: BTreeMap<Key<'a>, ChangedRecent>,
    /// Videos of which at least one view counted.
    pub videos: BTreeMap<&'a str, ChangedVideo>,
    pub new_viewers: Vec<NewViewer<'a>>,
    /// By video and epoch.
    pub epochs: BTreeMap<(&'a str, NaiveDate), Vec<i64>>,
    /// By video, region and day; a region and `GLOBAL`.
    pub days: BTreeMap<(&'a str, &'a str, NaiveDate), ChangedPiece>,
    /// By video, region, first day of the month and epoch.
    pub months: BTreeMap<(&'a str, &'a str, NaiveDate, NaiveDate), ChangedPiece>,
    /// Views that do not count, by video and day.
    pub repeats: BTreeMap<(&'a str, NaiveDate), u64>,
}

/// Decides view by view, in their order, which of them count; `recents` are the rows that are there, of all their keys.
pub fn fold<'a>(
    views: &[HashedView<'a>],
    mut recents: BTreeMap<Key<'a>, Recent>,
    window: TimeDelta,
) -> Changes<'a> {
    let mut changes = Changes::default();
    for view in views {
        let key = Key { video_id: view.video_id, viewer: view.viewer };
        let counting = match changes.recents.get_mut(&key) {
            Some(changed) => changed.recent.add(view.at, window),
            None => {
                let (recent, is_new, counting) = match recents.remove(&key) {
                    Some(mut recent) => {
                        let counting = recent.add(view.at, window);
                        (recent, false, counting)
                    }
                    None => (Recent::first(view), true, true),
                };
                if is_new {
                    changes.videos.entry(view.video_id).or_default().new_viewers += 1;
                    changes.new_viewers.push(NewViewer {
                        video_id: view.video_id,
                        region: view.region,
                        at: view.at,
                    });
                }
                changes.recents.insert(key, ChangedRecent { recent, is_new });
                counting
            }
        };
        match counting {
            true => changes.count(view),
            false => *changes.repeats.entry((view.video_id, view.at.date_naive())).or_default() += 1,
        }
    }
    changes
}

impl<'a> Changes<'a> {
    fn count(&mut self, view: &HashedView<'a>) {
        let element = element(view.viewer);
        self.videos.entry(view.video_id).or_default().views += 1;
        self.epochs.entry((view.video_id, view.epoch)).or_default().push(element);
        let day = view.at.date_naive();
        let month = first_of_month(day);
        let nothing = || ChangedPiece { epoch: view.epoch, views: 0, elements: Vec::new() };
        for region in [GLOBAL, view.region] {
            let of_day = self.days.entry((view.video_id, region, day)).or_insert_with(nothing);
            let of_month =
                self.months.entry((view.video_id, region, month, view.epoch)).or_insert_with(nothing);
            for piece in [of_day, of_month] {
                piece.views += 1;
                piece.elements.push(element);
            }
        }
    }
}

/// The first day of a day's month.
pub fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).expect("every month has a first day")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTES_30: TimeDelta = TimeDelta::minutes(30);

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-{text}Z").parse().expect("an instant")
    }

    fn view<'a>(video_id: &'a str, region: &'a str, viewer: i64, at: DateTime<Utc>) -> HashedView<'a> {
        let epoch = first_of_month(at.date_naive());
        HashedView { video_id, region, epoch, at, viewer }
    }

    #[test]
    fn a_window_changes_each_row_once() {
        let views = [
            view("v", "JP", 7, at("11-21T10:00:00")),
            view("v", "JP", 7, at("11-21T10:10:00")),
            view("v", "KR", 7, at("11-21T10:30:00")),
            view("v", "JP", 8, at("11-20T10:00:00")),
            view("w", "JP", 7, at("10-31T23:59:59")),
        ];
        let changes = fold(&views, BTreeMap::new(), MINUTES_30);
        assert_eq!(changes.recents.len(), 3);
        let seven = &changes.recents[&Key { video_id: "v", viewer: 7 }];
        assert_eq!((seven.is_new, seven.recent.views, &*seven.recent.region), (true, 2, "JP"));
        assert_eq!(seven.recent.last_counted_at, at("11-21T10:30:00"));
        assert_eq!(changes.videos["v"], ChangedVideo { views: 3, new_viewers: 2 });
        assert_eq!(changes.new_viewers.len(), 3);
        let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).expect("a day");
        let of = |region: &'static str, at: NaiveDate| changes.days[&("v", region, at)].views;
        assert_eq!((of(GLOBAL, day(11, 21)), of("JP", day(11, 21)), of("KR", day(11, 21))), (2, 1, 1));
        assert_eq!(changes.months[&("v", GLOBAL, day(11, 1), day(11, 1))].views, 3);
        assert_eq!(changes.epochs[&("w", day(10, 1))], [element(7)]);
    }

    #[test]
    fn what_is_there_decides() {
        let first = view("v", "JP", 7, at("11-21T10:00:00"));
        let key = Key { video_id: "v", viewer: 7 };
        let there = || BTreeMap::from([(key, Recent::first(&first))]);
        let repeat = fold(&[view("v", "JP", 7, at("11-21T10:29:59"))], there(), MINUTES_30);
        assert!(repeat.videos.is_empty() && repeat.days.is_empty() && repeat.new_viewers.is_empty());
        assert_eq!(repeat.repeats, BTreeMap::from([(("v", first.at.date_naive()), 1)]));
        let seen = &repeat.recents[&key];
        assert_eq!((seen.is_new, seen.recent.views), (false, 1));
        assert_eq!((seen.recent.last_at, seen.recent.last_counted_at), (at("11-21T10:29:59"), first.at));
        let early = fold(&[view("v", "JP", 7, at("11-21T09:30:00"))], there(), MINUTES_30);
        assert_eq!(early.videos["v"], ChangedVideo { views: 1, new_viewers: 0 });
    }

    #[test]
    fn merged_rows_are_one_person() {
        let mut user = Recent::first(&view("v", "JP", 7, at("11-21T10:00:00")));
        let mut device = Recent::first(&view("v", "KR", 8, at("11-20T10:00:00")));
        device.add(at("11-21T12:00:00"), MINUTES_30);
        user.merge(&device);
        assert_eq!((user.views, &*user.region), (3, "KR"));
        assert_eq!((user.first_at, user.last_counted_at), (at("11-20T10:00:00"), at("11-21T12:00:00")));
    }
}
