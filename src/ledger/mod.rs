//! The ledger: what became of what players sent, by video and day, so that whoever was not counted can see why.
//!
//! ```text
//! intake ─► refused::Gathered ─► store (each second) ─┐
//! fold: set aside, views that repeat ─────────────────┴► ledger ─┐
//! fold: accepted ─► whole videos, days of views ─────────────────┴► serve::ledger ─► GET /v1/videos/{id}/ledger
//! ```
//!
//! What a fold does is counted in its transaction, exactly once. What is refused is gathered in memory: a process that dies
//! takes a second of it along. No viewer is anywhere in it.

pub mod refused;
pub mod store;

/// The elements that players send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    Heartbeat,
    View,
}

impl Element {
    /// Returns the name that the table knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Element::Heartbeat => "heartbeat",
            Element::View => "view",
        }
    }
}

/// An element could not be folded even alone, and was set aside.
pub const SET_ASIDE: &str = "set_aside";
/// An element was accepted and counts under the default region, as its video had too many regions on that day.
pub const OTHER_REGION: &str = "other_region";
/// A view was accepted and is none, as its viewer was counted moments before.
pub const REPEATED: &str = "repeated";
