//! Pages and metrics.

mod dashboard;
pub mod metrics;
