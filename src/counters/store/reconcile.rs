//! Totals beside the sums of their records.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::{sql, unpack};
use crate::{
    counters::{block::NOBODY, kinds::KindId},
    postgres::{Store, StoreError, execute, query},
};

/// A counter whose row does not say what its records say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drifted {
    pub counter: i64,
    pub kind: KindId,
    /// The difference that has to be added to the total.
    pub delta: i64,
    /// The highest seq of a record, where the row's is lower: then seqs would be given twice.
    pub record_seq: i64,
}

/// The differences that a look at some counters found.
#[derive(Debug, Default)]
pub struct Compared {
    /// The last of them; none if there were none.
    pub last: Option<i64>,
    pub counters: u64,
    /// The counters that have drifted.
    pub drifted: Vec<Drifted>,
}

impl Store {
    /// Compares the `limit` counters behind `behind` with their records, in one snapshot and without a lock.
    pub async fn compare_counters(&self, behind: i64, limit: i64) -> Result<Compared, StoreError> {
        self.run_read(sql::PREPARE_EXPORT, |tx| {
            async move {
                let rows = query(tx, sql::READ_COUNTER_SUMS, &[&behind, &limit]).await?;
                let last = rows.last().map(|row| row.try_get("counter")).transpose()?;
                Ok(Compared { last, counters: rows.len() as u64, drifted: drifted(tx, rows).await? })
            }
            .scope_boxed()
        })
        .await
    }

    /// Locks counters, compares them again and corrects by the difference; returns those that were wrong.
    pub async fn heal_counters(&self, counters: &[i64]) -> Result<Vec<Drifted>, StoreError> {
        self.run_tx("heal_counters", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_PIECES).await?;
                query(tx, sql::LOCK_COUNTERS_BY_NUMBER, &[&counters]).await?;
                let rows = query(tx, sql::READ_SUMS_OF_COUNTERS, &[&counters]).await?;
                let drifted = drifted(tx, rows).await?;
                let numbers: Vec<i64> = drifted.iter().map(|drifted| drifted.counter).collect();
                let deltas: Vec<i64> = drifted.iter().map(|drifted| drifted.delta).collect();
                let seqs: Vec<i64> = drifted.iter().map(|drifted| drifted.record_seq).collect();
                execute(tx, sql::HEAL_COUNTERS, &[&numbers, &deltas, &seqs]).await?;
                Ok(drifted)
            }
            .scope_boxed()
        })
        .await
    }
}

async fn drifted(tx: &Transaction<'_>, rows: Vec<Row>) -> Result<Vec<Drifted>, StoreError> {
    let counters: Vec<i64> = rows.iter().map(|row| row.try_get("counter")).collect::<Result<_, _>>()?;
    let mut packed: HashMap<i64, (i64, i64)> = HashMap::new();
    for row in query(tx, sql::READ_BLOCKS_OF_COUNTERS, &[&counters]).await? {
        let (sum, last_seq) = packed.entry(row.try_get("counter")?).or_default();
        let first_seq: i64 = row.try_get("first_seq")?;
        for (seq, record) in (first_seq..).zip(unpack(&row)?).filter(|(_, record)| record.member != NOBODY) {
            *sum += i64::from(record.delta);
            *last_seq = seq.max(*last_seq);
        }
    }
    let mut drifted = Vec::new();
    for row in rows {
        let counter = row.try_get("counter")?;
        let (packed_sum, packed_seq) = packed.get(&counter).copied().unwrap_or_default();
        let value = |name: &str| row.try_get::<_, i64>(name);
        let records = i128::from(value("starting")?)
            + i128::from(value("marks")?)
            + i128::from(value("events")?)
            + i128::from(packed_sum);
        let delta = i64::try_from(records - i128::from(value("total")?)).unwrap_or(0);
        let record_seq = value("record_seq")?.max(packed_seq);
        if delta != 0 || record_seq > value("last_seq")? {
            drifted.push(Drifted { counter, kind: row.try_get("kind")?, delta, record_seq });
        }
    }
    Ok(drifted)
}
