//! The way in: a body becomes hashed heartbeats, durable in the queue before they are acknowledged.

pub mod body;
mod cost;
pub mod hash;
pub mod http;
pub mod intake;
pub mod metrics;
mod openapi;
pub mod xapi;
