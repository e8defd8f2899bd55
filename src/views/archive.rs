//! The archive: who has not viewed a video for some time leaves its recent viewers. The totals keep what they were.

use chrono::{Days, TimeDelta};

use super::identify::{self, BEFORE_ALL};
use crate::{
    clock::Clock,
    postgres::{Store, StoreError},
    viewers::epoch::Purpose,
};

/// Days for which a viewer of a video is remembered, unless a setting says otherwise.
pub const RECENT_DAYS: u32 = 30;
/// Rows that are looked up at once: those that have left stand in the way of the next look until they are vacuumed.
const LOOK_ROWS: usize = 20_000;
/// Rows one transaction takes out: whoever views one of these videos waits for no more than this.
const PIECE_ROWS: usize = 1_000;
/// Bindings one transaction removes.
const PIECE_BINDINGS: i64 = 5_000;

/// The work that an archive did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Archived {
    /// Rows that left `recent_views`.
    pub viewers: u64,
    /// Rows that became a user's, for identifications that were cut short.
    pub merged: u64,
    /// Bindings removed, as nobody can be hashed with their salts any more.
    pub bindings: u64,
}

/// Archives whoever has last viewed a video more than so many days ago. A run that dies is simply run again, and two may run
/// at once: each piece is a transaction of its own.
pub async fn run(store: &Store, clock: &Clock, recent_days: u32) -> Result<Archived, StoreError> {
    let mut archived = Archived { merged: identify::resume(store).await?, ..Archived::default() };
    let before = clock.today() - Days::new(recent_days.into());
    store.advance_recent_from(before).await?;
    loop {
        let keys = store.archivable_views(before, LOOK_ROWS).await?;
        if keys.is_empty() {
            break;
        }
        let before_look = archived.viewers;
        for piece in keys.chunks(PIECE_ROWS) {
            crash_point!("archive::piece");
            archived.viewers += store.archive_views(piece, before).await?;
        }
        // All of them have come back since; whatever is left is for the next run.
        if archived.viewers == before_look {
            break;
        }
    }
    archived.bindings = forget_bindings(store, clock, recent_days).await?;
    Ok(archived)
}

/// Removes the bindings of epochs whose salts were destroyed so long ago that no row of them is recent.
async fn forget_bindings(store: &Store, clock: &Clock, recent_days: u32) -> Result<u64, StoreError> {
    let since = TimeDelta::days(recent_days.into());
    let ended = store.ended_salt_epochs(Purpose::Views, clock.now(), since).await?;
    let (mut removed, mut behind) = (0, BEFORE_ALL);
    // Only the epochs that have bindings are looked at, however many there were.
    while let Some(epoch) = store.next_binding_epoch(behind).await? {
        if ended.contains(&epoch) {
            loop {
                match store.delete_bindings(epoch, PIECE_BINDINGS).await? {
                    0 => break,
                    some => removed += some,
                }
            }
        }
        behind = epoch;
    }
    Ok(removed)
}
