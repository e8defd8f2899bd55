//! What the tests share: a database for each, and the API on a free port. Nothing else.

mod app;
mod server;

pub use app::{App, Settings};
pub use server::{TestDatabase, database};
