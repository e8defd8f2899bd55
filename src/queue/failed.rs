//! Heartbeats that cannot be folded are set aside here, so that they block nobody.

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;

use super::sql;
use crate::{
    events::hashed::HashedHeartbeat,
    postgres::{StoreError, execute},
};

/// Sets a row of a lane aside that cannot be read.
pub(crate) async fn set_aside_unreadable(
    tx: &Transaction<'_>,
    lane: u16,
    row: i64,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    execute(tx, sql::SET_ASIDE_UNREADABLE, &[&(lane as i16), &row, &now, &reason]).await?;
    Ok(())
}

/// Sets one heartbeat aside that could not be folded.
pub(crate) async fn insert_failed(
    tx: &Transaction<'_>,
    heartbeat: &HashedHeartbeat<'_>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let HashedHeartbeat { video_id, region, captured_on, start_sec, end_sec, viewer_hash } = heartbeat;
    execute(
        tx,
        sql::INSERT_FAILED,
        &[&now, &reason, video_id, region, captured_on, start_sec, end_sec, viewer_hash],
    )
    .await?;
    Ok(())
}
