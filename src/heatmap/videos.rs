//! The list of the most watched videos. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::{
    answers::envelope::Scope,
    sketch::{self, Union, Unreadable},
    viewers::epoch::Rotation,
};

/// What is known of one video: its epochs' rounded estimates are added already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoRow {
    /// The video.
    pub video_id: String,
    /// Distinct viewers of any second.
    pub viewers: u64,
    /// The sum of `plays` over all its seconds.
    pub seconds_played: u64,
    /// The last watched second.
    pub last_sec: u32,
    /// Whether `viewers` was counted, not estimated, in every epoch.
    pub exact: bool,
}

/// A whole-video row: of one day and region, canonical or of a shard.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The video.
    pub video_id: &'a str,
    /// Its day's salt epoch.
    pub epoch: usize,
    /// The last watched second.
    pub last_sec: u32,
    /// The sum of `plays` over all seconds.
    pub plays: u64,
    /// The sketch of the viewers of any second.
    pub viewers: &'a [u8],
}

/// Takes the rows video by video, in each by epoch: one union is held at a time.
#[derive(Default)]
pub struct WholeVideos {
    closed: Vec<VideoRow>,
    /// The video that is still added to, and its epoch whose viewers are not counted yet.
    open: Option<(VideoRow, usize)>,
    viewers: Union,
}

impl WholeVideos {
    /// Adds a row.
    pub fn add(&mut self, part: Part<'_>) -> Result<(), Unreadable> {
        if self.open.as_ref().is_some_and(|(open, _)| open.video_id != part.video_id) {
            self.close_video();
        }
        if self.open.as_ref().is_some_and(|(_, epoch)| *epoch != part.epoch) {
            self.close_epoch();
        }
        let (open, epoch) = self.open.get_or_insert_with(|| {
            let video_id = part.video_id.to_owned();
            (VideoRow { video_id, viewers: 0, seconds_played: 0, last_sec: 0, exact: true }, part.epoch)
        });
        *epoch = part.epoch;
        open.seconds_played += part.plays;
        open.last_sec = open.last_sec.max(part.last_sec);
        self.viewers.add(part.viewers)
    }

    /// The videos, in the order they came.
    pub fn finish(mut self) -> Vec<VideoRow> {
        self.close_video();
        self.closed
    }

    fn close_video(&mut self) {
        self.close_epoch();
        self.closed.extend(self.open.take().map(|(video, _)| video));
    }

    fn close_epoch(&mut self) {
        if let Some((open, _)) = &mut self.open {
            open.viewers += self.viewers.cardinality();
            open.exact &= self.viewers.is_exact();
        }
        self.viewers.clear();
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideosRange {
    /// The regions united, ascending; `GLOBAL` alone for all.
    pub regions: Vec<String>,
    /// The first day, inclusive.
    pub from: NaiveDate,
    /// The last day, inclusive.
    pub to: NaiveDate,
    /// The rotation under which each salt epoch of the range was opened.
    pub epochs: Vec<Rotation>,
}

/// The answer: a strip's envelope and the videos.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, described in the README")]
pub struct Videos {
    pub regions: Vec<String>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub scope: Scope,
    pub relative_error: f64,
    pub exact: bool,
    /// Left out where the answer's tag is taken: an unchanged list keeps its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<DateTime<Utc>>,
    pub videos: Vec<Video>,
}

/// One video of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, described in the README")]
pub struct Video {
    pub video_id: String,
    pub viewers: u64,
    pub seconds_played: u64,
    pub last_sec: u32,
}

/// Puts the rows, already in order, into the envelope.
pub fn videos(range: VideosRange, rows: Vec<VideoRow>) -> Videos {
    let exact = rows.iter().all(|row| row.exact);
    Videos {
        scope: if rows.is_empty() { Scope::Viewers } else { Scope::of(&range.epochs) },
        regions: range.regions,
        from: range.from,
        to: range.to,
        relative_error: if exact { 0.0 } else { sketch::RELATIVE_STANDARD_ERROR },
        exact,
        generated_at: None,
        videos: rows
            .into_iter()
            .map(|row| Video {
                video_id: row.video_id,
                viewers: row.viewers,
                seconds_played: row.seconds_played,
                last_sec: row.last_sec,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::{element, encode};

    #[test]
    fn viewers_are_united_within_an_epoch_and_added_over_epochs() {
        let mut whole = WholeVideos::default();
        for (video_id, epoch, last_sec, plays, viewers) in
            [("a", 0, 9, 3, &[1, 2][..]), ("a", 0, 4, 2, &[2]), ("a", 3, 7, 1, &[2]), ("b", 3, 1, 5, &[2, 7])]
        {
            let mut elements: Vec<i64> = viewers.iter().copied().map(element).collect();
            elements.sort_unstable();
            let viewers = &encode(&elements);
            whole.add(Part { video_id, epoch, last_sec, plays, viewers }).expect("a sketch");
        }
        let row = |video_id: &str, viewers, seconds_played, last_sec| VideoRow {
            video_id: video_id.into(),
            viewers,
            seconds_played,
            last_sec,
            exact: true,
        };
        assert_eq!(whole.finish(), [row("a", 3, 6, 9), row("b", 2, 5, 1)]);
        assert_eq!(WholeVideos::default().finish(), []);
    }
}
