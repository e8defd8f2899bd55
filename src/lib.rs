//! heatstrip

// -- write path --
pub mod heartbeat;
pub mod heartbeat_body;
pub mod viewer_hash;
pub mod fold;
pub mod sketch;
// -- read path --
pub mod salt_epoch;
pub mod strip;
// -- replay and demo --
pub mod replay_file;
pub mod xapi;
pub mod audience;
