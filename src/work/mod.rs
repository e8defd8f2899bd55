//! The work behind the requests: the ingestion worker, the night, and what a serving process does every second.

mod append;
pub mod clocks;
pub mod forget;
pub mod metrics;
pub mod nightly;
pub mod overdue;
pub mod reconcile;
pub mod regions;
pub mod upkeep;
pub mod worker;
