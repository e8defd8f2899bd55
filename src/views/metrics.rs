//! Metrics of views.

use std::sync::LazyLock;

use prometheus::IntCounter;

use super::store::fold::FoldedViews;
use crate::telemetry::registry::counter;

/// The metrics of this folder, registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Each field is the handle of one metric, whose help text says what it means.
pub struct Metrics {
    pub views_folded: IntCounter,
    pub views_counted: IntCounter,
    pub viewers_merged: IntCounter,
    pub trending_rows: IntCounter,
    pub trending_faded: IntCounter,
}

impl Metrics {
    fn new() -> Self {
        Metrics {
            views_folded: counter("views_folded_total", "Views taken out of the queue by worker steps."),
            views_counted: counter(
                "views_counted_total",
                "Views that counted; the others were repeats inside the window.",
            ),
            trending_rows: counter(
                "trending_rows_total",
                "Rows of trending written for new viewers: one a video and region of a step, and one for all regions.",
            ),
            trending_faded: counter(
                "trending_faded_total",
                "Rows of trending removed because next to nothing was left of them.",
            ),
            viewers_merged: counter(
                "viewers_merged_total",
                "Rows of recent views that became a user's by `POST /v1/identify`.",
            ),
        }
    }

    /// Notes what a step did, once it is committed.
    pub fn folded(&self, folded: &FoldedViews) {
        self.views_folded.inc_by(folded.views);
        self.views_counted.inc_by(folded.counted);
        self.trending_rows.inc_by(folded.trending);
    }
}
