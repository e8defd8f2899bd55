//! The HTTP server: it nests the routers of all the folders, each of which has a state of its own.

mod assets;
mod below;
mod connection;
pub mod days;
pub mod health;
pub mod ledger;
pub mod listen;
pub mod metrics;
mod openapi;
pub mod router;
pub mod tls;

pub use router::{Parts, router};
