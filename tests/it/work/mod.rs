//! The worker.

mod worker;
