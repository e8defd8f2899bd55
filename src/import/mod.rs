//! Brings in files of heartbeats as if they had just arrived, files of counts and of the catalogue, and totals that views start
//! from.

pub mod catalogue;
pub mod counts;
pub mod file;
pub mod lines;
pub mod replay;
pub mod views;
