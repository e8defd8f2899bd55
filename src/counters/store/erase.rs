//! Erasing a member: the name goes at once, the records in pieces, each a transaction that corrects the totals with it.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;
use uuid::Uuid;

use super::{sql, times, unpack};
use crate::{
    counters::block::{TOMBSTONE, pack},
    postgres::{Store, StoreError, execute, query},
};

/// Records and blocks one transaction removes, about.
const MAX_PIECE: i64 = 1_000;

/// The work that a piece of an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// There may be more.
    Removed,
    /// Nothing is left; this many records were removed by all pieces together.
    Ended(u64),
    /// It ended long ago.
    Gone,
}

impl Store {
    /// Takes a member's name away, so that nobody finds or counts for it any more, and returns all of this name whose
    /// records are still to be removed: an earlier erasure may have been cut short.
    pub async fn begin_erasure(&self, member_id: &str, key: Uuid) -> Result<Vec<i64>, StoreError> {
        self.run_tx("begin_erasure", |tx| {
            async move {
                execute(tx, sql::BEGIN_ERASURE, &[&member_id, &key]).await?;
                let rows = query(tx, sql::READ_ERASURES, &[&key]).await?;
                rows.iter().map(|row| Ok(row.try_get("member")?)).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// The members whose records are still to be removed.
    pub async fn open_erasures(&self) -> Result<Vec<i64>, StoreError> {
        self.run_tx("read_erasures", |tx| {
            async move {
                let rows = query(tx, sql::READ_ERASURES, &[&None::<Uuid>]).await?;
                rows.iter().map(|row| Ok(row.try_get("member")?)).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Forgets the erasures that ended a day ago.
    pub async fn forget_erasures(&self) -> Result<u64, StoreError> {
        self.run_tx("forget_erasures", |tx| {
            async move { execute(tx, sql::FORGET_ERASURES, &[]).await }.scope_boxed()
        })
        .await
    }

    /// Removes a piece of a member's records.
    pub async fn erase_piece(&self, member: i64) -> Result<Piece, StoreError> {
        self.run_tx("erase_piece", |tx| async move { piece(tx, member).await }.scope_boxed()).await
    }
}

async fn piece(tx: &Transaction<'_>, member: i64) -> Result<Piece, StoreError> {
    tx.batch_execute(sql::PREPARE_PIECES).await?;
    let rows = query(tx, sql::LOCK_ERASURE, &[&member]).await?;
    let Some(row) = rows.first() else {
        return Ok(Piece::Gone);
    };
    let before: i64 = row.try_get("records")?;
    // Somebody else works on it too, and was faster.
    if row.try_get("ended")? {
        return Ok(Piece::Ended(before as u64));
    }
    let rows = query(tx, sql::READ_ERASABLE, &[&member, &MAX_PIECE]).await?;
    let counters: BTreeSet<i64> = rows.iter().map(|row| row.try_get("counter")).collect::<Result<_, _>>()?;
    if counters.is_empty() {
        execute(tx, sql::END_ERASURE, &[&member]).await?;
        return Ok(Piece::Ended(before as u64));
    }
    let counters = Vec::from_iter(counters.into_iter().take(MAX_PIECE as usize));
    query(tx, sql::LOCK_COUNTERS_BY_NUMBER, &[&counters]).await?;

    let (mut deltas, mut records) = (BTreeMap::<i64, i64>::new(), 0_i64);
    let mut gone = |counter: i64, delta: i32| {
        *deltas.entry(counter).or_default() -= i64::from(delta);
        records += 1;
    };
    for row in query(tx, sql::ERASE_MARKS, &[&member, &counters]).await? {
        gone(row.try_get("counter")?, row.try_get("delta")?);
    }
    let of_each = MAX_PIECE / counters.len() as i64 + 1;
    for row in query(tx, sql::ERASE_EVENTS, &[&member, &counters, &of_each]).await? {
        gone(row.try_get("counter")?, row.try_get("delta")?);
    }
    for row in query(tx, sql::READ_BLOCKS_OF_MEMBER, &[&member, &counters, &MAX_PIECE]).await? {
        let (counter, first_seq): (i64, i64) = (row.try_get("counter")?, row.try_get("first_seq")?);
        let mut block = unpack(&row)?;
        for record in block.iter_mut().filter(|record| record.member == member) {
            gone(counter, record.delta);
            *record = TOMBSTONE;
        }
        match pack(&block) {
            None => execute(tx, sql::DELETE_BLOCK, &[&counter, &first_seq]).await?,
            Some(block) => {
                let (first_at, last_at) = times(&block);
                execute(
                    tx,
                    sql::UPDATE_BLOCK,
                    &[&counter, &first_seq, &first_at, &last_at, &block.members, &block.times],
                )
                .await?
            }
        };
    }
    let (counters, deltas): (Vec<i64>, Vec<i64>) = deltas.into_iter().unzip();
    execute(tx, sql::ADD_TO_TOTALS, &[&counters, &deltas]).await?;
    execute(tx, sql::ADD_ERASED, &[&member, &records]).await?;
    Ok(Piece::Removed)
}
