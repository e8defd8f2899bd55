//! The private server.

pub mod local;
