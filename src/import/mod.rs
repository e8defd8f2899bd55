//! Brings in files of heartbeats as if they had just arrived, and files of counts.

pub mod counts;
pub mod file;
pub mod replay;
