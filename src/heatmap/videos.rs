//! The list of the most watched videos. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::totals::Total;
use crate::{answers::envelope::Scope, sketch, viewers::epoch::Rotation};

/// The question as it was asked.
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
pub struct Video {
    pub video_id: String,
    pub viewers: u64,
    pub seconds_played: u64,
    pub last_sec: u32,
}

/// Puts the rows, already in order, into the envelope.
pub fn videos(range: VideosRange, rows: Vec<Total>) -> Videos {
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
                video_id: row.name,
                viewers: row.viewers,
                seconds_played: row.seconds_played,
                last_sec: row.last_sec,
            })
            .collect(),
    }
}
