//! Heartbeats and views that cannot be folded are set aside here, so that they block nobody.

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;

use super::sql;
use crate::{
    events::hashed::{Entry, HashedHeartbeats},
    postgres::{StoreError, execute, query},
};

/// Sets a row of a lane aside that cannot be read; returns how many heartbeats it says to hold.
pub(crate) async fn set_aside_unreadable(
    tx: &Transaction<'_>,
    lane: u16,
    row: i64,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let rows = query(tx, sql::SET_ASIDE_UNREADABLE, &[&(lane as i16), &row, &now, &reason]).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.try_get::<_, i32>("heartbeats"))? as usize)
}

/// Sets bytes aside that nobody can read.
pub(crate) async fn insert_unreadable(
    tx: &Transaction<'_>,
    bytes: &[u8],
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute(tx, sql::INSERT_UNREADABLE, &[&now, &reason, &bytes]).await?;
    Ok(())
}

/// Sets one heartbeat or view aside that could not be folded. A view keeps its instant in the bytes that were queued.
pub(crate) async fn insert_failed(
    tx: &Transaction<'_>,
    entry: &Entry<'_>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (region, secs, viewer, payload) = match entry {
        Entry::Heartbeat(heartbeat) => {
            (heartbeat.region, Some((heartbeat.start_sec, heartbeat.end_sec)), heartbeat.viewer_hash, None)
        }
        Entry::View(view) => {
            let queued: HashedHeartbeats = [*entry].into_iter().collect();
            (view.region, None, view.viewer, Some(queued.as_bytes().to_vec()))
        }
    };
    let (start_sec, end_sec) = secs.unzip();
    execute(
        tx,
        sql::INSERT_FAILED,
        &[&now, &reason, &entry.video_id(), &region, &entry.day(), &start_sec, &end_sec, &viewer, &payload],
    )
    .await?;
    Ok(())
}
