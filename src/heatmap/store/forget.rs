//! The removal of a video.

use chrono::NaiveDate;
use tokio_postgres::Row;

use super::{kept_days, locks, sql};
use crate::postgres::{StoreError, Tables, Transaction, query};

/// How many rows of a video were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForgottenRows {
    /// Canonical rows of every level.
    pub canonical: u64,
    /// Shard rows.
    pub shards: u64,
}

/// Removes a video's rows of these days.
pub(crate) async fn forget_in(
    tx: &Transaction<'_>,
    tables: Tables,
    video_id: &str,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<ForgottenRows, StoreError> {
    // No piece of a compaction is under way then: it would bring the rows back. No day can come in between, as only a fold
    // could bring one, and the lane is locked.
    kept_days::lock_days(tx, &[video_id.to_owned()], first_day, last_day).await?;
    locks::lock_on_node(tx, tables, video_id).await?;
    let rows = query(tx, sql::FORGET_ROWS, &[&video_id, &first_day, &last_day]).await?;
    let count = |row: &Row, name: &str| row.try_get::<_, i64>(name).map(|count| count as u64);
    Ok(ForgottenRows { canonical: count(&rows[0], "canonical")?, shards: count(&rows[0], "shards")? })
}
