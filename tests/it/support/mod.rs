//! What the tests share: a database for each, the API on a free port, and chance that can be repeated. Nothing else.

mod app;
mod chance;
mod server;

pub use app::{App, Settings};
pub use chance::chance;
pub use server::{TestDatabase, database};
