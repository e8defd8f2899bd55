//! Brings in files of heartbeats as if they had just arrived, files of counts, and the catalogue.

pub mod catalogue;
pub mod counts;
pub mod file;
pub mod replay;
