//! Packing: closed stretches of a counter's records move from rows into blocks, under the lock of their writers.

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;

use super::{sql, times};
use crate::{
    counters::block::{MAX_RECORDS, MIN_RECORDS, Record, TOMBSTONE, pack},
    postgres::{Store, StoreError, execute, query, sql as shared},
};

/// Records one transaction moves at most: the counter is locked meanwhile.
const MAX_PIECE: usize = 8 * MAX_RECORDS;

/// The work that a piece of packing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// Records that stand in blocks now.
    pub records: u64,
    /// True if there may be more to pack.
    pub more: bool,
}

impl Store {
    /// Counters with enough records outside of blocks, behind `behind`.
    pub async fn packable_counters(&self, behind: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
        self.run_tx("read_packable", |tx| {
            async move {
                let rows = query(tx, sql::READ_PACKABLE, &[&behind, &limit]).await?;
                rows.iter().map(|row| Ok(row.try_get("counter")?)).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Packs what is older than `closed`, a piece of it.
    pub async fn pack_counter(&self, counter: i64, closed: DateTime<Utc>) -> Result<Packed, StoreError> {
        self.run_tx("pack_counter", |tx| async move { piece(tx, counter, closed).await }.scope_boxed()).await
    }

    /// Empties the table of ids that nobody looks into this week; one that somebody reads is left for the next time.
    pub async fn empty_counter_ids(&self) -> Result<bool, StoreError> {
        let outcome = self
            .run_tx_once(|tx| {
                async move {
                    query(tx, shared::LIMIT_DROP_WAIT, &[&"20ms"]).await?;
                    Ok(query(tx, sql::EMPTY_IDS, &[]).await?[0].try_get("emptied")?)
                }
                .scope_boxed()
            })
            .await;
        match outcome {
            Err(StoreError::Conflict(_)) => Ok(false),
            outcome => outcome,
        }
    }
}

async fn piece(tx: &Transaction<'_>, counter: i64, closed: DateTime<Utc>) -> Result<Packed, StoreError> {
    tx.batch_execute(sql::PREPARE_PIECES).await?;
    let rows = query(tx, sql::LOCK_COUNTERS_BY_NUMBER, &[&[counter].as_slice()]).await?;
    if rows.is_empty() {
        execute(tx, sql::DEQUEUE_PACKABLE, &[&counter]).await?;
        return Ok(Packed { records: 0, more: false });
    }
    let rows = query(tx, sql::READ_CLOSED_EVENTS, &[&counter, &(MAX_PIECE as i64)]).await?;
    let mut records = Vec::with_capacity(rows.len());
    for row in &rows {
        let at: DateTime<Utc> = row.try_get("at")?;
        let seq: i64 = row.try_get("seq")?;
        let (member, delta): (i64, i32) = (row.try_get("member")?, row.try_get("delta")?);
        // A stretch ends where the day begins that is not over, and a block has no room for more than a direction.
        if at >= closed || delta.abs() != 1 {
            break;
        }
        records.push((seq, Record { member, at_ms: at.timestamp_millis(), delta }));
    }
    let more = records.len() == MAX_PIECE;
    let mut packed_through = 0;
    let mut moved = 0;
    for stretch in stretches(&records) {
        let (first_seq, records) = dense(stretch);
        let block = pack(&records).expect("records of rows are somebody's");
        let (first_at, last_at) = times(&block);
        execute(
            tx,
            sql::INSERT_BLOCKS,
            &[&counter, &first_seq, &first_at, &last_at, &block.members, &block.times],
        )
        .await?;
        packed_through = first_seq + records.len() as i64 - 1;
        moved += stretch.len() as u64;
    }
    if moved > 0 {
        execute(tx, sql::DELETE_PACKED_EVENTS, &[&counter, &packed_through]).await?;
        execute(tx, sql::ADVANCE_PACKED_SEQ, &[&counter, &packed_through]).await?;
    }
    // The next writer who fills a block puts it back.
    if rows.len() - (moved as usize) < MIN_RECORDS {
        execute(tx, sql::DEQUEUE_PACKABLE, &[&counter]).await?;
    }
    Ok(Packed { records: moved, more: more && moved > 0 })
}

/// Cuts records into stretches that make a block each, in the number of records and in the span of their seqs; what is left
/// stays in rows.
fn stretches(records: &[(i64, Record)]) -> Vec<&[(i64, Record)]> {
    let mut stretches = Vec::new();
    let mut rest = records;
    while rest.len() >= MIN_RECORDS {
        let first_seq = rest[0].0;
        let taken = rest.iter().take_while(|(seq, _)| *seq < first_seq + MAX_RECORDS as i64).count();
        let (stretch, behind) = rest.split_at(taken);
        stretches.push(stretch);
        rest = behind;
    }
    stretches
}

/// A stretch with a record for each seq: holes that erasures left become tombstones.
fn dense(stretch: &[(i64, Record)]) -> (i64, Vec<Record>) {
    let (first_seq, last_seq) = (stretch[0].0, stretch[stretch.len() - 1].0);
    let mut records = vec![TOMBSTONE; (last_seq - first_seq + 1) as usize];
    for (seq, record) in stretch {
        records[(seq - first_seq) as usize] = *record;
    }
    (first_seq, records)
}
