//! heatstrip

// -- entry --
pub mod cli;
pub mod config;
pub mod clock;
// -- write path --
pub mod heartbeat_body;
pub mod heartbeat;
pub mod salt_epoch;
pub mod salt;
pub mod viewer_hash;
pub mod intake;
pub mod fold;
pub mod sketch;
pub mod worker;
pub mod store;
// -- read path --
pub mod strip;
pub mod videos;
pub mod strip_cache;
pub mod http;
// -- cross-cutting --
pub mod local_postgres;
pub mod upkeep;
pub mod shutdown;
pub mod telemetry;
