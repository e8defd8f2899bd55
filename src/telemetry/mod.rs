//! A process tells about itself by logs and metrics.

pub mod logs;
pub mod registry;
pub mod request;
