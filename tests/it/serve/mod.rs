//! Pages and metrics.

mod below;
mod compressed;
mod dashboard;
mod days;
pub mod metrics;
mod proxies;
mod slow;
mod tls;
