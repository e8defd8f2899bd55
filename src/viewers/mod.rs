//! Viewers: salts, the epochs that share one, and the hash that stands for a person.

pub mod epoch;
pub mod hash;
pub mod metrics;
pub mod salt;
pub mod sql;
pub mod store;
