//! The heatmap: which seconds of a video people watch, and how many different people watched each.

pub mod compaction;
pub mod epoch_counts;
pub mod fold;
pub mod http;
pub mod level;
pub mod nightly;
pub mod reach;
pub mod regions;
pub mod run;
pub mod store;
pub mod strip;
pub mod totals;
pub mod videos;

/// Seconds of a block: the part of a video-day that compaction works on and decides the form of.
pub const BLOCK_SECS: i32 = 3_600;
