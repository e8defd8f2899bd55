//! Which seconds of a video people watch, and how many different people watched each.

pub mod local_postgres;
