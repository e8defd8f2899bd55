//! The removal of what waits to be folded.

use scoped_futures::ScopedFutureExt;
use tokio_postgres::types::ToSql;

use super::{
    claim::{batch, lock_lane},
    nats::NatsQueue,
    sql,
};
use crate::{
    events::{hashed::HashedHeartbeats, part::Part, region::Region},
    postgres::{Store, StoreError, Transaction, execute, query},
};

/// Rows of the queue that are looked through at once.
const PIECE_ROWS: i64 = 500;

/// How many heartbeats and views of a video were removed, or cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForgottenHeartbeats {
    /// Those that waited to be folded.
    pub queued: u64,
    /// Those that had been set aside.
    pub failed: u64,
}

/// Removes a part of a video's heartbeats while no worker folds its lane. A message of a stream cannot be changed: what it holds
/// of the part through `last_message` is passed over when its turn comes.
pub(crate) async fn forget_in(
    tx: &Transaction<'_>,
    video_id: &str,
    lane: u16,
    part: &Part,
    last_message: Option<u64>,
) -> Result<ForgottenHeartbeats, StoreError> {
    lock_lane(tx, lane).await?;
    if let Some(through) = last_message {
        NatsQueue::forget(tx, video_id, part, through).await?;
    }
    let queued = forget_queued(tx, video_id, lane, part).await?;
    let region = part.region.as_ref().map(Region::as_str);
    let mut failed =
        execute(tx, sql::FORGET_FAILED, &[&video_id, &part.day, &region, &part.after_sec]).await?;
    if part.after_sec.is_some() {
        failed += execute(tx, sql::CUT_FAILED, &[&video_id, &part.day, &region, &part.after_sec]).await?;
    }
    Ok(ForgottenHeartbeats { queued, failed })
}

/// Rewrites the rows that hold heartbeats of the part; returns how many heartbeats went or were cut.
async fn forget_queued(
    tx: &Transaction<'_>,
    video_id: &str,
    lane: u16,
    part: &Part,
) -> Result<u64, StoreError> {
    let lane = lane as i16;
    let (mut forgotten, mut behind) = (0, i64::MIN);
    loop {
        let rows = query(tx, sql::READ_LANE, &[&lane, &behind, &PIECE_ROWS]).await?;
        let Some(last) = rows.last() else {
            return Ok(forgotten);
        };
        behind = last.try_get("id")?;
        for row in &rows {
            let id: i64 = row.try_get("id")?;
            let batch = batch(row);
            let entries = batch.as_ref().ok().map(|batch| batch.entries().collect::<Result<Vec<_>, _>>());
            let Some(Ok(entries)) = entries else {
                // The worker would set it aside as it is, video and all.
                let rows = query(tx, sql::DELETE_UNREADABLE, &[&lane, &id, &video_id]).await?;
                for row in rows {
                    forgotten += row.try_get::<_, i32>("heartbeats")? as u64;
                }
                continue;
            };
            let (mut kept, mut changed) = (HashedHeartbeats::default(), 0);
            for entry in entries {
                let left = if entry.video_id() == video_id { part.leaves(entry) } else { Some(entry) };
                changed += u64::from(left != Some(entry));
                left.iter().for_each(|left| kept.push_entry(left));
            }
            if kept.is_empty() {
                execute(tx, sql::DELETE_ROW, &[&lane, &id]).await?;
            } else if changed > 0 {
                let (heartbeats, watched_secs) = (kept.len() as i32, kept.watched_secs() as i64);
                let parameters: &[&(dyn ToSql + Sync)] =
                    &[&lane, &id, &heartbeats, &watched_secs, &kept.as_bytes()];
                execute(tx, sql::REWRITE_ROW, parameters).await?;
            }
            forgotten += changed;
        }
    }
}

impl Store {
    /// Deletes what had been set aside of days that are not kept.
    pub async fn delete_unkept_failed(&self) -> Result<(), StoreError> {
        self.run_tx("delete_unkept_failed", |tx| {
            async move { execute(tx, sql::DELETE_UNKEPT_FAILED, &[]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }
}
