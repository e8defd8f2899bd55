//! The heatmap: which seconds of a video people watch, and how many different people watched each.

pub mod compaction;
pub mod fold;
pub mod http;
pub mod regions;
pub mod store;
pub mod strip;
pub mod videos;
