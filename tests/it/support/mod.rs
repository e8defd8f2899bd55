//! What the tests share: a database for each. Nothing else.

mod server;

pub use server::database;
