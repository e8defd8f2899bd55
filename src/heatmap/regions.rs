//! The regions a video was watched in. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::totals::Total;
use crate::{answers::envelope::Scope, sketch, viewers::epoch::Rotation};

/// The question as it was asked, and the days that its answer covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionsRange {
    pub video_id: String,
    /// The first day, inclusive; none where it was left out and the video has no rows.
    pub from: Option<NaiveDate>,
    /// The last day, likewise.
    pub to: Option<NaiveDate>,
    /// The rotation under which each salt epoch of the range was opened.
    pub epochs: Vec<Rotation>,
}

/// The answer: a strip's envelope and the regions.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct VideoRegions {
    pub video_id: String,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub scope: Scope,
    pub relative_error: f64,
    pub exact: bool,
    /// Left out where the answer's tag is taken: an unchanged list keeps its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<DateTime<Utc>>,
    pub regions: Vec<VideoRegion>,
}

/// One region of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct VideoRegion {
    pub region: String,
    pub viewers: u64,
    pub seconds_played: u64,
}

/// Puts the rows, already in order, into the envelope.
pub fn video_regions(range: RegionsRange, rows: Vec<Total>) -> VideoRegions {
    let exact = rows.iter().all(|row| row.exact);
    VideoRegions {
        scope: if rows.is_empty() { Scope::Viewers } else { Scope::of(&range.epochs) },
        video_id: range.video_id,
        from: range.from,
        to: range.to,
        relative_error: if exact { 0.0 } else { sketch::RELATIVE_STANDARD_ERROR },
        exact,
        generated_at: None,
        regions: rows
            .into_iter()
            .map(|row| VideoRegion {
                region: row.name,
                viewers: row.viewers,
                seconds_played: row.seconds_played,
            })
            .collect(),
    }
}
