//! Pages and metrics.

mod dashboard;
mod days;
pub mod metrics;
