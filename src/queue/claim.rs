//! Taking heartbeats out of the queue, a lane at a time.

use chrono::NaiveDate;
use deadpool_postgres::Transaction;
use tokio_postgres::Row;

use super::sql;
use crate::{
    events::hashed::{Entry, HashedHeartbeat, HashedHeartbeats, MAX_NAME_BYTES, Unreadable},
    postgres::{StoreError, query},
};

/// A transaction takes no more than this, though never less than one row.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Heartbeats.
    pub heartbeats: u64,
    /// The seconds they cover, all together: what folding them costs grows with these.
    pub watched_secs: u64,
    /// Rows of the queue.
    pub rows: u64,
}

/// Waits until nobody works on a lane, and keeps others away until the transaction ends.
pub(crate) async fn lock_lane(tx: &Transaction<'_>, lane: u16) -> Result<(), StoreError> {
    query(tx, sql::LOCK_LANE, &[&i32::from(lane)]).await?;
    Ok(())
}

/// True if this transaction may work on a lane; at most one at a time may.
pub(crate) async fn try_lock_lane(tx: &Transaction<'_>, lane: u16) -> Result<bool, StoreError> {
    let rows = query(tx, sql::TRY_LOCK_LANE, &[&i32::from(lane)]).await?;
    Ok(rows[0].try_get("locked")?)
}

/// Takes a lane's oldest batches out of the queue, each as it was enqueued.
pub(crate) async fn claim_batches(
    tx: &Transaction<'_>,
    lane: u16,
    window: &Window,
) -> Result<Vec<HashedHeartbeats>, StoreError> {
    let (heartbeats, watched_secs) = (window.heartbeats as i64, window.watched_secs as i64);
    let most = window.rows as i64;
    let rows = query(tx, sql::CLAIM_BATCHES, &[&(lane as i16), &heartbeats, &watched_secs, &most]).await?;
    let mut batches = Vec::with_capacity(rows.len());
    for row in &rows {
        batches.push((row.try_get::<_, i64>("id")?, batch(row)?));
    }
    // A DELETE returns rows in any order; whether a view counts depends on those before it.
    batches.sort_unstable_by_key(|(id, _)| *id);
    Ok(batches.into_iter().map(|(_, batch)| batch).collect())
}

/// A lane's oldest row, locked: a row that becomes visible behind this look is not taken for it.
pub(crate) async fn oldest_row(tx: &Transaction<'_>, lane: u16) -> Result<Option<i64>, StoreError> {
    let rows = query(tx, sql::LOCK_OLDEST_ROW, &[&(lane as i16)]).await?;
    rows.first().map(|row| Ok(row.try_get("id")?)).transpose()
}

/// Takes one row out of the queue.
pub(crate) async fn claim_row(
    tx: &Transaction<'_>,
    lane: u16,
    id: i64,
) -> Result<Vec<HashedHeartbeats>, StoreError> {
    let rows = query(tx, sql::CLAIM_ROW, &[&(lane as i16), &id]).await?;
    rows.iter().map(batch).collect()
}

/// The heartbeats and views of batches, whose names stay where they are. A batch that holds fewer than it says is not whole.
pub(crate) fn entries<'a>(
    batches: impl IntoIterator<Item = &'a HashedHeartbeats>,
) -> Result<Vec<Entry<'a>>, StoreError> {
    let unreadable = |error: Unreadable| StoreError::BadValue(error.to_string());
    let mut entries = Vec::new();
    for batch in batches {
        let before = entries.len();
        for entry in batch.entries() {
            entries.push(entry.map_err(unreadable)?);
        }
        if entries.len() - before != batch.len() {
            return Err(unreadable(Unreadable));
        }
    }
    Ok(entries)
}

/// The heartbeats of a row.
pub(super) fn batch(row: &Row) -> Result<HashedHeartbeats, StoreError> {
    let Some(payload) = row.try_get::<_, Option<Vec<u8>>>("payload")? else {
        return earlier_batch(row);
    };
    let heartbeats = row.try_get::<_, i32>("heartbeats")? as usize;
    let watched_secs = row.try_get::<_, Option<i64>>("watched_secs")?.unwrap_or(0) as u64;
    Ok(HashedHeartbeats::queued(payload, heartbeats, watched_secs))
}

/// The heartbeats of a row that an earlier version wrote, in arrays.
fn earlier_batch(row: &Row) -> Result<HashedHeartbeats, StoreError> {
    let video_id: Vec<&str> = row.try_get("video_id")?;
    let region: Vec<&str> = row.try_get("region")?;
    let captured_on: Vec<NaiveDate> = row.try_get("captured_on")?;
    let start_sec: Vec<i32> = row.try_get("start_sec")?;
    let end_sec: Vec<i32> = row.try_get("end_sec")?;
    let viewer_hash: Vec<i64> = row.try_get("viewer_hash")?;
    let heartbeat = |index: usize| HashedHeartbeat {
        video_id: video_id[index],
        region: region[index],
        captured_on: captured_on[index],
        start_sec: start_sec[index],
        end_sec: end_sec[index],
        viewer_hash: viewer_hash[index],
    };
    if video_id.iter().chain(&region).any(|name| name.len() > MAX_NAME_BYTES) {
        return Err(StoreError::BadValue(Unreadable.to_string()));
    }
    // The table makes sure that the arrays are of one length.
    Ok((0..video_id.len()).map(heartbeat).collect())
}
