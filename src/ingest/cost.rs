//! What elements cost their sender, in watched seconds. Pure.
//!
//! An element costs what it says, whatever becomes of it: accepted, refused, sent again or only tried. One that says nothing
//! costs a second, as it was read too.

use super::hash::Parsed;
use crate::events::{heartbeat::Heartbeat, view::View};

/// A view costs its sender as much as so many watched seconds.
const VIEW_SECS: u64 = 10;
/// So does an element that is refused as it stands.
const REFUSED_SECS: u64 = 1;

/// Returns what heartbeats cost; one that is also a view costs as both.
pub fn of_heartbeats(parsed: &Parsed<Heartbeat<'_>>) -> u64 {
    let cost = |heartbeat: &Heartbeat<'_>| {
        let watched_secs = (heartbeat.end_sec - heartbeat.start_sec + 1) as u64;
        watched_secs + if heartbeat.view { VIEW_SECS } else { 0 }
    };
    parsed.iter().map(|element| element.as_ref().map_or(REFUSED_SECS, cost)).sum()
}

/// Returns what views cost.
pub fn of_views(parsed: &Parsed<View<'_>>) -> u64 {
    parsed.iter().map(|element| if element.is_ok() { VIEW_SECS } else { REFUSED_SECS }).sum()
}
