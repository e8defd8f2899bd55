//! Files of heartbeats, brought in as if they had just arrived, and files of counts.

pub mod counts;
pub mod file;
pub mod replay;
