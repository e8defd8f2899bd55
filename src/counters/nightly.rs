//! The night of the counters: go on with erasures that were cut short, pack what is closed, forget old ids.

use chrono::{DateTime, NaiveTime, Utc};

use super::erase;
use crate::{
    clock::Clock,
    postgres::{Store, StoreError},
};

/// Counters looked up at once.
const COUNTERS: i64 = 1_000;

/// The work that a night did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records that stand in blocks now.
    pub packed: u64,
    /// Records removed by erasures that an earlier process did not end.
    pub erased: u64,
}

/// Goes on with erasures and packs. A night that dies is simply run again: each step is a transaction of its own.
pub async fn run(store: &Store, clock: &Clock) -> Result<Summary, StoreError> {
    let erased = erase::resume(store).await?;
    let packed = pack(store, clock.today().and_time(NaiveTime::MIN).and_utc()).await?;
    Ok(Summary { packed, erased })
}

/// Forgets the ids that need not be remembered any more, and erasures that ended long ago.
pub async fn forget(store: &Store) -> Result<(), StoreError> {
    store.empty_counter_ids().await?;
    store.forget_erasures().await?;
    Ok(())
}

/// Packs what is older than `closed`, counter by counter; only those that have enough of it are looked at.
async fn pack(store: &Store, closed: DateTime<Utc>) -> Result<u64, StoreError> {
    let (mut records, mut behind) = (0, 0);
    loop {
        let counters = store.packable_counters(behind, COUNTERS).await?;
        let Some(&last) = counters.last() else { return Ok(records) };
        behind = last;
        for counter in counters {
            loop {
                fail::fail_point!("pack_piece");
                let packed = store.pack_counter(counter, closed).await?;
                records += packed.records;
                if !packed.more {
                    break;
                }
            }
        }
    }
}
