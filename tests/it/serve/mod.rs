//! Pages and metrics.

mod dashboard;
mod metrics;
