//! Views: the number under the video. How often it was viewed, by how many people recently, and by how many ever.
//!
//! ```text
//! queue ─► work::worker ─► store::fold::fold_in { bindings ─► lock ─► fold ─► rule } ─► recent_views, view_totals,
//!                                                                     view_epochs, view_days, view_months
//! recent_views ─► archive ─► view_totals                                     POST /v1/identify ─► identify ─► recent_views
//! view_totals ─► answer ─► GET /v1/videos/{id}/views       view_days, view_months ─► pieces ─► … with from and to
//! ```
//!
//! Whoever changes these tables takes locks in one order: lane, rows of `recent_views` sorted by key, rows of `view_totals`
//! sorted by video. Days, months and epochs have no locks of their own: the row of `view_totals` stands for them.

/// A place where a test may let the process die, by `FAILPOINTS=name=return`.
macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}

pub mod answer;
pub mod archive;
pub mod fold;
pub mod http;
pub mod identify;
pub mod metrics;
pub mod nightly;
pub mod pieces;
pub mod reconcile;
pub mod rule;
pub mod store;
pub mod trending;
