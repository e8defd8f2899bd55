//! The demo: an invented audience, so that a first look shows what a heatmap is.

pub mod audience;
