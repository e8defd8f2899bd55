//! The catalogue: what is known of a video beside what people watched of it. Titles, channels and pictures are for
//! people; the duration bounds heartbeats and trims strips.

pub mod durations;
pub mod entry;
pub mod http;
pub mod metrics;
pub mod store;
