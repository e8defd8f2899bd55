//! What players say: heartbeats and views, their bounds, and the closed list of reasons why one is refused. Pure.

pub mod fields;
pub mod hashed;
pub mod heartbeat;
pub mod lane;
pub mod part;
pub mod refusal;
pub mod region;
pub mod terms;
pub mod view;
