//! The worker, and the night.

mod night;
mod worker;
