//! All counters with their records, read in one snapshot.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;

use super::{instant, kinds, sql, unpack};
use crate::{
    counters::{block::NOBODY, kinds::Kinds},
    postgres::{Store, StoreError, query},
};

/// Counters read at once.
const COUNTERS: i64 = 200;

/// A record: who, by how much, when.
pub type ExportedRecord = (String, i32, DateTime<Utc>);

/// A counter that is exported.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The sort of thing that it counts on.
    pub object_type: String,
    pub object_id: String,
    pub kind: String,
    /// The total that was counted before there were records.
    pub starting: i64,
    /// The records, oldest first.
    pub records: Vec<ExportedRecord>,
}

impl Store {
    /// Hands every counter to `write`; stops when it says so.
    pub async fn export_counters(
        &self,
        write: &(dyn Fn(Exported) -> std::io::Result<()> + Sync),
    ) -> Result<std::io::Result<()>, StoreError> {
        self.run_read(sql::PREPARE_EXPORT, |tx| async move { export(tx, write).await }.scope_boxed()).await
    }
}

async fn export(
    tx: &Transaction<'_>,
    write: &(dyn Fn(Exported) -> std::io::Result<()> + Sync),
) -> Result<std::io::Result<()>, StoreError> {
    let kinds = kinds::read(tx).await?;
    let mut behind = 0;
    loop {
        let some = piece(tx, &kinds, behind).await?;
        let Some((last, _)) = some.last() else { return Ok(Ok(())) };
        behind = *last;
        for (_, exported) in some {
            if let Err(error) = write(exported) {
                return Ok(Err(error));
            }
        }
    }
}

async fn piece(tx: &Transaction<'_>, kinds: &Kinds, behind: i64) -> Result<Vec<(i64, Exported)>, StoreError> {
    let rows = query(tx, sql::READ_EXPORTED_COUNTERS, &[&behind, &COUNTERS]).await?;
    let counters: Vec<i64> = rows.iter().map(|row| row.try_get("counter")).collect::<Result<_, _>>()?;
    // They are sorted by seq, since blocks and rows come one after the other.
    let mut records: HashMap<i64, BTreeMap<i64, ExportedRecord>> = HashMap::new();
    let blocks = query(tx, sql::READ_BLOCKS_OF_COUNTERS, &[&counters]).await?;
    for row in &blocks {
        let (counter, first_seq): (i64, i64) = (row.try_get("counter")?, row.try_get("first_seq")?);
        let packed = unpack(row)?;
        let members: Vec<i64> =
            packed.iter().map(|record| record.member).filter(|member| *member != NOBODY).collect();
        let names = names(tx, &members).await?;
        for (seq, record) in (first_seq..).zip(packed) {
            if let Some(name) = names.get(&record.member) {
                let record = (name.clone(), record.delta, instant(record.at_ms));
                records.entry(counter).or_default().insert(seq, record);
            }
        }
    }
    for row in query(tx, sql::READ_EXPORTED_ROWS, &[&counters]).await? {
        let record = (row.try_get("member_id")?, row.try_get("delta")?, row.try_get("at")?);
        records.entry(row.try_get("counter")?).or_default().insert(row.try_get("seq")?, record);
    }
    let mut exported = Vec::with_capacity(rows.len());
    for row in rows {
        let counter: i64 = row.try_get("counter")?;
        let kind = kinds.numbered(row.try_get("kind")?).map_or_else(String::new, |kind| kind.name.clone());
        exported.push((
            counter,
            Exported {
                object_type: row.try_get("object_type")?,
                object_id: row.try_get("object_id")?,
                kind,
                starting: row.try_get("starting")?,
                records: records.remove(&counter).unwrap_or_default().into_values().collect(),
            },
        ));
    }
    Ok(exported)
}

async fn names(tx: &Transaction<'_>, members: &[i64]) -> Result<HashMap<i64, String>, StoreError> {
    let rows = query(tx, sql::READ_MEMBER_NAMES, &[&members]).await?;
    rows.iter().map(|row| Ok((row.try_get("member")?, row.try_get("member_id")?))).collect()
}
