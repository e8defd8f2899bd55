//! Files of heartbeats, brought in as if they had just arrived.

pub mod file;
pub mod replay;
