//! Erasing a member, to the end: what one call begins, any other goes on with.

use super::{element::name_key, metrics::METRICS, store::erase::Piece};
use crate::postgres::{Store, StoreError};

/// Removes everything of a member; returns how many records that were, those of an earlier try that was cut short included.
pub async fn erase(store: &Store, member_id: &str) -> Result<u64, StoreError> {
    let mut records = 0;
    for member in store.begin_erasure(member_id, name_key(member_id)).await? {
        records += finish(store, member).await?;
    }
    Ok(records)
}

/// Goes on with every erasure that was cut short; returns how many records they removed in all.
pub async fn resume(store: &Store) -> Result<u64, StoreError> {
    let mut records = 0;
    for member in store.open_erasures().await? {
        records += finish(store, member).await?;
    }
    Ok(records)
}

/// Removes piece after piece until nothing is left.
async fn finish(store: &Store, member: i64) -> Result<u64, StoreError> {
    loop {
        fail::fail_point!("erase_piece");
        match store.erase_piece(member).await? {
            Piece::Removed => {}
            Piece::Ended(records) => {
                METRICS.members_erased.inc();
                return Ok(records);
            }
            Piece::Gone => return Ok(0),
        }
    }
}
