//! The tables of views, a file a writer or read.

pub mod archive;
pub mod bindings;
pub mod days;
pub mod fold;
pub mod forget;
pub mod kept_days;
pub mod ranges;
pub(crate) mod recents;
pub mod reconcile;
pub mod rule;
pub mod sql;
pub mod starting;
pub mod totals;
pub mod trending;
