//! The private server, and what may stand in front of any.

pub mod local;
mod full_disk;
mod migrations;
mod pooler;
mod states;
mod tls;
