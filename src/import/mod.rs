//! Brings in files of heartbeats as if they had just arrived.

pub mod file;
pub mod replay;
