//! What a process says of itself: logs and metrics.

pub mod logs;
pub mod registry;
pub mod request;
