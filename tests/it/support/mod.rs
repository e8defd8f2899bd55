//! What the tests share: a database for each, the API on a free port, and the binary as a process. Nothing else.

mod app;
mod process;
mod server;

pub use app::{App, Settings};
pub use process::{Process, heatstrip, until};
pub use server::{TestDatabase, database};
