//! What is told of a video's views. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::{
    pieces::Pieces,
    rule::Rule,
    store::{
        ranges::{RangeQuery, RangeTotals},
        totals::{Totals, VideoTotals},
    },
};
use crate::{answers::envelope::Scope, sketch, viewers::epoch::Rotation};

/// The numbers under a video.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct VideoViews {
    pub video_id: String,
    /// Views that counted, ever. `null`, as `viewers` is, where fewer viewed than the reader's key takes.
    #[schema(value_type = Option<u64>)]
    pub views: u64,
    #[schema(value_type = Option<ViewersOfVideo>)]
    pub viewers: ViewersOfVideo,
    pub rule: Rule,
    /// Left out where the answer's tag is taken: an unchanged answer keeps its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<DateTime<Utc>>,
}

/// The numbers under a video, one of several.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct VideoEntry {
    pub video_id: String,
    #[schema(value_type = Option<u64>)]
    pub views: u64,
    #[schema(value_type = Option<ViewersOfVideo>)]
    pub viewers: ViewersOfVideo,
}

/// How many viewers there are: recently, counted one by one, and ever, from sketches.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ViewersOfVideo {
    /// Distinct viewers since `recent_from`, exact.
    #[schema(value_type = Option<u64>)]
    pub recent: u64,
    /// From which UTC day on they are kept; `null`: all that there ever were.
    pub recent_from: Option<NaiveDate>,
    /// What `recent` counts.
    pub recent_scope: Scope,
    /// Distinct viewers, ever.
    pub lifetime: u64,
    /// What `lifetime` counts.
    pub scope: Scope,
    /// True if `lifetime` is counted and not estimated, and no device of it was bound to a user.
    pub exact: bool,
    /// The relative standard error of `lifetime`; 0 where it is counted.
    pub relative_error: f64,
}

/// The numbers under several videos.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SeveralViews {
    /// In the order asked.
    pub videos: Vec<VideoEntry>,
    pub rule: Rule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<DateTime<Utc>>,
}

/// Views and viewers of a range of days.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RangeViews {
    pub video_id: String,
    pub regions: Vec<String>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub scope: Scope,
    /// Views that counted on these days. `null`, as `viewers` is, where fewer viewed than the reader's key takes.
    #[schema(value_type = Option<u64>)]
    pub views: u64,
    /// Distinct viewers of these days.
    #[schema(value_type = Option<u64>)]
    pub viewers: u64,
    pub relative_error: f64,
    pub exact: bool,
    /// The rows that this was united from: whole months, and the days beside them. Not for keys with a minimum audience.
    #[schema(required = false)]
    pub pieces: Pieces,
    pub rule: Rule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<DateTime<Utc>>,
}

/// The numbers under one video.
pub fn video_views(video_id: String, found: &VideoTotals) -> VideoViews {
    let VideoEntry { video_id, views, viewers } = entry(video_id, found);
    VideoViews { video_id, views, viewers, rule: found.rule, generated_at: None }
}

/// The numbers under several videos.
pub fn several_views(videos: Vec<String>, found: &VideoTotals) -> SeveralViews {
    let videos = videos.into_iter().map(|video_id| entry(video_id, found)).collect();
    SeveralViews { videos, rule: found.rule, generated_at: None }
}

fn entry(video_id: String, found: &VideoTotals) -> VideoEntry {
    let totals = found.videos.get(&video_id).copied().unwrap_or_default();
    VideoEntry { views: totals.views, viewers: viewers(&totals, found), video_id }
}

fn viewers(totals: &Totals, found: &VideoTotals) -> ViewersOfVideo {
    let epochs = |recently: bool| -> Vec<Rotation> {
        let Some((first, last)) = totals.epochs else { return Vec::new() };
        let spans = found.epochs.iter().enumerate().filter(|(place, (first_day, _))| {
            // An epoch that was over before recent views begin has none of them left.
            let next = found.epochs.get(place + 1).map(|(first_day, _)| *first_day);
            let is_over = found.recent_from.zip(next).is_some_and(|(from, next)| next <= from);
            (first..=last).contains(first_day) && !(recently && is_over)
        });
        spans.map(|(_, (_, rotation))| *rotation).collect()
    };
    // Nobody is missing among the recent while nothing was archived, and they are counted one by one.
    let estimated = totals.archived_viewers > 0 && totals.estimated_epochs > 0;
    let lifetime = match totals.archived_viewers {
        0 => totals.recent_viewers,
        // An estimate may fall below what is known to be there.
        _ => totals.lifetime_viewers.max(totals.recent_viewers),
    };
    ViewersOfVideo {
        recent: totals.recent_viewers,
        recent_from: found.recent_from,
        recent_scope: Scope::of(&epochs(true)),
        lifetime,
        scope: Scope::of(&epochs(false)),
        exact: !estimated && totals.merged_viewers == 0,
        relative_error: if estimated { sketch::RELATIVE_STANDARD_ERROR } else { 0.0 },
    }
}

/// Views and viewers of a range.
pub fn range_views(asked: RangeQuery, totals: RangeTotals) -> RangeViews {
    let nothing = totals.pieces == Pieces::default();
    RangeViews {
        video_id: asked.video_id,
        regions: asked.regions,
        from: totals.from,
        to: totals.to,
        scope: if nothing { Scope::Viewers } else { Scope::of(&totals.epochs) },
        views: totals.views,
        viewers: totals.viewers,
        relative_error: if totals.counted { 0.0 } else { sketch::RELATIVE_STANDARD_ERROR },
        exact: totals.counted && !totals.merged,
        pieces: totals.pieces,
        rule: totals.rule,
        generated_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn found(totals: Totals, recent_from: Option<&str>) -> VideoTotals {
        VideoTotals {
            videos: [("v".to_owned(), totals)].into(),
            rule: Rule { after_secs: 10, window_mins: 30 },
            recent_from: recent_from.map(day),
            epochs: ["2026-09-01", "2026-10-01", "2026-11-01"]
                .map(|first_day| (day(first_day), Rotation::Monthly))
                .into(),
        }
    }

    #[test]
    fn lifetime_is_recents_number_until_something_is_archived() {
        let totals = Totals {
            views: 9_000,
            recent_viewers: 5_000,
            lifetime_viewers: 4_900,
            estimated_epochs: 1,
            epochs: Some((day("2026-10-01"), day("2026-11-01"))),
            ..Totals::default()
        };
        let all = video_views("v".into(), &found(totals, None)).viewers;
        assert_eq!((all.recent, all.lifetime, all.exact, all.relative_error), (5_000, 5_000, true, 0.0));
        assert_eq!((all.recent_scope, all.scope), (Scope::ViewerMonths, Scope::ViewerMonths));
        let archived = Totals { archived_viewers: 1, ..totals };
        let some = video_views("v".into(), &found(archived, Some("2026-11-01"))).viewers;
        assert_eq!((some.lifetime, some.exact, some.relative_error), (5_000, false, 0.01625));
        assert_eq!((some.recent_scope, some.scope), (Scope::Viewers, Scope::ViewerMonths));
        let more = Totals { lifetime_viewers: 6_000, merged_viewers: 3, estimated_epochs: 0, ..archived };
        let merged = video_views("v".into(), &found(more, None)).viewers;
        assert_eq!((merged.lifetime, merged.exact, merged.relative_error), (6_000, false, 0.0));
    }

    #[test]
    fn an_unknown_video_has_zeros() {
        let nothing = video_views("w".into(), &found(Totals::default(), None));
        assert_eq!((nothing.views, nothing.viewers.lifetime, nothing.viewers.exact), (0, 0, true));
        assert_eq!(nothing.viewers.scope, Scope::Viewers);
    }
}
