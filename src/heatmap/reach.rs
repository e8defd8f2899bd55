//! Reach: how many different people watched any of several videos. This file is pure.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::totals::Part;
use crate::{
    answers::envelope::Scope,
    sketch::{self, Union, Unreadable},
    viewers::epoch::Rotation,
};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachRange {
    /// The channel whose videos these are, where one was asked for.
    pub channel: Option<String>,
    /// How many videos are united.
    pub videos: usize,
    /// The regions united, ascending; `GLOBAL` alone for all.
    pub regions: Vec<String>,
    /// The first day, inclusive.
    pub from: NaiveDate,
    /// The last day, inclusive.
    pub to: NaiveDate,
    /// The rotation under which each salt epoch of the range was opened.
    pub epochs: Vec<Rotation>,
}

/// The answer: a strip's envelope around the two numbers.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Reach {
    /// The channel, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// How many videos are united, whether or not somebody watched them.
    pub videos: usize,
    pub regions: Vec<String>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub scope: Scope,
    /// Distinct viewers of any of the videos.
    pub viewers: u64,
    /// The viewers of each video, added: who watched three of them counts three times.
    pub sum_of_videos: u64,
    pub relative_error: f64,
    pub exact: bool,
    /// Left out where the answer's tag is taken: an unchanged answer keeps its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<DateTime<Utc>>,
}

/// Takes the whole-video rows video by video, in each by epoch. One union is held for the video, and one for each epoch.
#[derive(Default)]
pub struct Reached {
    epochs: BTreeMap<usize, Epoch>,
    /// The video and epoch that is still added to.
    open: Option<(String, usize)>,
    viewers: Union,
}

#[derive(Default)]
struct Epoch {
    anybody: Union,
    /// The estimates of the videos, added.
    sum: u64,
    /// The largest of them.
    most: u64,
}

impl Reached {
    /// Adds a row.
    pub fn add(&mut self, part: Part<'_>) -> Result<(), Unreadable> {
        if self.open.as_ref().is_none_or(|(video, epoch)| video != part.name || *epoch != part.epoch) {
            self.close();
            self.open = Some((part.name.to_owned(), part.epoch));
        }
        self.viewers.add(part.viewers)
    }

    /// Puts the numbers into the envelope.
    pub fn finish(mut self, range: ReachRange) -> Reach {
        self.close();
        let (mut viewers, mut sum_of_videos, mut exact) = (0, 0, true);
        for epoch in self.epochs.values_mut() {
            // Estimates of nested sets may disagree by a few: whoever watched one video watched any, and any is no more than
            // all added.
            viewers += epoch.anybody.cardinality().clamp(epoch.most, epoch.sum);
            sum_of_videos += epoch.sum;
            exact &= epoch.anybody.is_exact();
        }
        Reach {
            scope: if self.epochs.is_empty() { Scope::Viewers } else { Scope::of(&range.epochs) },
            channel: range.channel,
            videos: range.videos,
            regions: range.regions,
            from: range.from,
            to: range.to,
            viewers,
            sum_of_videos,
            relative_error: if exact { 0.0 } else { sketch::RELATIVE_STANDARD_ERROR },
            exact,
            generated_at: None,
        }
    }

    fn close(&mut self) {
        if let Some((_, epoch)) = self.open.take() {
            let epoch = self.epochs.entry(epoch).or_default();
            let viewers = self.viewers.cardinality();
            epoch.sum += viewers;
            epoch.most = epoch.most.max(viewers);
            epoch.anybody.merge(&self.viewers);
        }
        self.viewers.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::{element, encode};

    fn reach(rows: &[(&str, usize, std::ops::Range<i64>)], epochs: &[Rotation]) -> Reach {
        let mut reached = Reached::default();
        for (name, epoch, viewers) in rows {
            let mut elements: Vec<i64> = viewers.clone().map(element).collect();
            elements.sort_unstable();
            let viewers = &encode(&elements);
            reached.add(Part { name, epoch: *epoch, last_sec: 0, plays: 1, viewers }).expect("a sketch");
        }
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
        reached.finish(ReachRange {
            channel: None,
            videos: 2,
            regions: vec!["GLOBAL".into()],
            from: day,
            to: day,
            epochs: epochs.to_vec(),
        })
    }

    #[test]
    fn people_are_united_over_videos_and_added_over_epochs() {
        let daily = [Rotation::Daily, Rotation::Daily];
        let rows = [("a", 1, 0..10), ("a", 1, 5..20), ("a", 2, 0..3), ("b", 1, 15..30), ("b", 2, 0..3)];
        let found = reach(&rows, &daily);
        assert_eq!((found.viewers, found.sum_of_videos), (30 + 3, 20 + 15 + 3 + 3));
        assert_eq!((found.scope, found.exact, found.relative_error), (Scope::ViewerDays, true, 0.0));
        let nobody = reach(&[], &daily);
        assert_eq!((nobody.viewers, nobody.sum_of_videos, nobody.scope), (0, 0, Scope::Viewers));
    }

    #[test]
    fn one_video_is_its_own_reach_and_no_reach_is_more_than_its_parts() {
        for people in [100, 321, 5_000, 10_000] {
            let alone = reach(&[("a", 1, 0..people)], &[Rotation::Never]);
            assert_eq!(alone.viewers, alone.sum_of_videos);
            assert_eq!(alone.exact, people <= 320);
            let apart = reach(&[("a", 1, 0..people), ("b", 1, people..people + 4)], &[Rotation::Never]);
            assert!(apart.viewers >= alone.viewers && apart.viewers <= apart.sum_of_videos, "{apart:?}");
        }
    }
}
