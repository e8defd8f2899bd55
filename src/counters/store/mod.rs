//! The tables of counters, a file a table or read.

pub mod erase;
pub mod export;
pub mod kinds;
pub mod lists;
pub mod pack;
pub mod reconcile;
pub mod sql;
pub mod starting;
pub mod totals;
pub mod write;

use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use super::block::{self, Block, Record};
use crate::postgres::StoreError;

/// The records of a block's row.
fn unpack(row: &Row) -> Result<Vec<Record>, StoreError> {
    let (members, times): (Vec<i64>, &[u8]) = (row.try_get("members")?, row.try_get("times")?);
    block::unpack(&members, times)
        .ok_or_else(|| StoreError::Refused("a row of counter_blocks is damaged".to_owned()))
}

/// An instant of a record.
fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

/// The times of a block as its row has them.
fn times(block: &Block) -> (DateTime<Utc>, DateTime<Utc>) {
    (instant(block.first_ms), instant(block.last_ms))
}
