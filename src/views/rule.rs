//! What a view is, and when it counts. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// What a view is, as answers echo it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ViewRule)]
pub struct Rule {
    /// A session becomes a view once it has played so many seconds, or half of the video where that is less.
    pub after_secs: u32,
    /// In so many minutes a viewer counts once a video.
    pub window_mins: u32,
}

impl Rule {
    /// Returns the time between two views of a viewer that both count.
    pub fn window(&self) -> TimeDelta {
        TimeDelta::minutes(self.window_mins.into())
    }
}

/// Returns true if a view counts beside those of the same viewer that have counted, of which the first and the last are given.
///
/// Views may come late: one that lies as far before the first as another must lie behind the last counts as well. One that
/// lies between them does not, as nobody knows any more which views were there.
pub fn counts(counted: Option<(DateTime<Utc>, DateTime<Utc>)>, at: DateTime<Utc>, window: TimeDelta) -> bool {
    let Some((first, last)) = counted else { return true };
    window.is_zero() || at - last >= window || first - at >= window
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-21T{text}Z").parse().expect("an instant")
    }

    #[test]
    fn a_viewer_counts_once_a_window() {
        let window = TimeDelta::minutes(30);
        let counted = Some((at("10:00:00"), at("11:00:00")));
        for (view, counting) in [
            ("10:00:00", false),
            ("09:30:00", true),
            ("09:30:01", false),
            ("10:30:00", false),
            ("11:29:59", false),
            ("11:30:00", true),
        ] {
            assert_eq!(counts(counted, at(view), window), counting, "{view}");
        }
        assert!(counts(None, at("10:00:00"), window));
        assert!(counts(counted, at("10:00:00"), TimeDelta::zero()), "without a window every view counts");
    }
}
