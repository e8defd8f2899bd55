//! Answers: the fields around the numbers, and the cache that makes each answer once.

pub mod cache;
pub mod envelope;
pub mod http;
pub mod metrics;
