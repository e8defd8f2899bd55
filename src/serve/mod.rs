//! The HTTP server: it nests the routers of all the folders, each of which has a state of its own.

mod assets;
pub mod days;
pub mod health;
pub mod metrics;
mod openapi;
pub mod router;

pub use router::{Parts, router};
