//! Pages and metrics.

mod compressed;
mod dashboard;
mod days;
pub mod metrics;
mod nginx;
mod slow;
mod tls;
