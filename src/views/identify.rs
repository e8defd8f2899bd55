//! Device to user: what a device viewed before its user signed in counts as the user's from then on.
//!
//! The order is what makes it right. The binding is committed first. Then each lane's lock is taken and released once, so
//! that no fold goes on that had read "no binding"; every later fold puts the user in the device's place, whenever the view
//! was queued. From then on no row of the device can come into being, and those that there are become the user's, in pieces.
//! A user may be bound to another at the same moment: a piece holds the user's hash shared, and whoever binds it takes it
//! alone, so that no row arrives behind the other's back.

use chrono::NaiveDate;

use super::{
    metrics::METRICS,
    store::bindings::{Binding, Bound, Piece},
};
use crate::{
    events::heartbeat::ViewerId,
    postgres::{Store, StoreError},
    viewers::{
        epoch::Purpose,
        hash::viewer_hash_in,
        salt::{SaltError, Salts},
    },
};

/// What stands in a field when a page has no id for somebody: everybody would become one person.
const PLACEHOLDERS: [&str; 4] = ["undefined", "null", "anonymous", "0"];
/// A day before every salt epoch.
pub(super) const BEFORE_ALL: NaiveDate = NaiveDate::from_ymd_opt(0, 12, 31).expect("a day of the calendar");
/// Bindings that are looked up at once.
const LOOK_BINDINGS: i64 = 1_000;

/// The devices and the users of a binding, by epoch.
#[derive(Debug)]
pub struct Identity(Vec<Binding>);

/// A device cannot be bound for one of these reasons.
#[derive(Debug, thiserror::Error)]
pub enum IdentifyError {
    /// The user is a device that is bound to somebody.
    #[error("user_id is itself a device that is bound to a user")]
    UserIsDevice,
    /// The database did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns true for ids that stand for nobody.
pub fn is_placeholder(id: &str) -> bool {
    PLACEHOLDERS.contains(&id.trim().to_ascii_lowercase().as_str())
}

/// Hashes both under every salt with which somebody may still be hashed.
pub async fn hash(
    salts: &Salts,
    namespace: Option<&str>,
    device: ViewerId<'_>,
    user: ViewerId<'_>,
) -> Result<Identity, SaltError> {
    let live = salts.live(Purpose::Views).await?;
    let binding = |salt: &crate::viewers::salt::DaySalt| Binding {
        epoch: salt.first_day,
        device: viewer_hash_in(namespace, &device, &salt.salt),
        viewer: viewer_hash_in(namespace, &user, &salt.salt),
    };
    Ok(Identity(live.iter().map(binding).collect()))
}

/// Binds a device to a user and merges what is there; returns how many rows became the user's. Asked again, it goes on where
/// it was.
pub async fn identify(store: &Store, identity: &Identity) -> Result<u64, IdentifyError> {
    match store.bind_device(&identity.0).await? {
        Bound::UserIsDevice => return Err(IdentifyError::UserIsDevice),
        Bound::Bound => {}
    }
    crash_point!("identify::bound");
    store.wait_for_folds().await?;
    let mut merged = 0;
    for binding in &identity.0 {
        merged += merge(store, binding.epoch, binding.device).await?;
    }
    METRICS.viewers_merged.inc_by(merged);
    Ok(merged)
}

/// Goes on with every identification that was cut short; returns how many rows became a user's.
pub async fn resume(store: &Store) -> Result<u64, StoreError> {
    let (mut merged, mut behind) = (0, (BEFORE_ALL, i64::MIN));
    loop {
        let unmerged = store.unmerged_bindings(behind, LOOK_BINDINGS).await?;
        let Some(&last) = unmerged.last() else { return Ok(merged) };
        behind = last;
        // Whoever bound them may have died before it waited; each of them was committed before this wait.
        store.wait_for_folds().await?;
        for (epoch, device) in unmerged {
            merged += merge(store, epoch, device).await?;
        }
    }
}

/// Makes a device's rows its user's, piece after piece in the order of their keys.
async fn merge(store: &Store, epoch: NaiveDate, device: i64) -> Result<u64, StoreError> {
    let (mut merged, mut behind) = (0, String::new());
    loop {
        crash_point!("identify::piece");
        match store.merge_piece(epoch, device, &behind).await? {
            Piece::Merged { rows, last } => {
                merged += rows;
                behind = last;
            }
            Piece::Ended => return Ok(merged),
        }
    }
}
