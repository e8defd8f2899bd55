//! heatstrip: which seconds of a video people watch, and how many different people watched each.

// -- entry --
pub mod cli;
pub mod config;
pub mod clock;
// -- write path --
pub mod heartbeat_body;
pub mod heartbeat;
pub mod region;
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
// -- replay and demo --
pub mod xapi;
pub mod replay_file;
pub mod replay;
pub mod audience;
// -- cross-cutting --
pub mod upkeep;
pub mod local_postgres;
pub mod shutdown;
pub mod telemetry;
