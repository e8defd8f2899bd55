//! The way in, as a client sees it.

mod batches;
mod heartbeats;
