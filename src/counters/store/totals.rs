//! Totals of objects, and whether a member is among those who count: one snapshot.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;

use super::{instant, sql, unpack};
use crate::{
    counters::{block::Record, kinds::KindId},
    postgres::{Store, StoreError, query},
};

/// A question for totals.
#[derive(Debug)]
pub struct TotalsQuery {
    /// Types and ids of objects.
    pub objects: Vec<(String, String)>,
    /// Which kinds; none for all that each object has.
    pub kinds: Option<Vec<KindId>>,
    /// Who may be among those who count.
    pub member_id: Option<String>,
}

/// A counter that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    pub total: i64,
    /// When the member in question last did it.
    pub did_at: Option<DateTime<Utc>>,
}

/// The counters of each object, by kind.
pub type Totals = Vec<HashMap<KindId, Total>>;

impl Store {
    /// The totals of objects, in the order asked.
    pub async fn counter_totals(&self, asked: &TotalsQuery) -> Result<Totals, StoreError> {
        self.run_read(sql::PREPARE_READS, |tx| async move { read(tx, asked).await }.scope_boxed()).await
    }
}

async fn read(tx: &Transaction<'_>, asked: &TotalsQuery) -> Result<Totals, StoreError> {
    let (types, ids): (Vec<&str>, Vec<&str>) =
        asked.objects.iter().map(|(object_type, id)| (object_type.as_str(), id.as_str())).unzip();
    let rows = query(tx, sql::READ_TOTALS, &[&types, &ids, &asked.kinds]).await?;
    let mut totals = vec![HashMap::new(); asked.objects.len()];
    let mut counters = Vec::with_capacity(rows.len());
    for row in &rows {
        let (place, counter): (i64, i64) = (row.try_get("place")?, row.try_get("counter")?);
        let kind: KindId = row.try_get("kind")?;
        counters.push((counter, place as usize - 1, kind));
        let total = Total { total: row.try_get("total")?, did_at: None };
        totals[place as usize - 1].insert(kind, total);
    }
    let Some(member_id) = &asked.member_id else {
        return Ok(totals);
    };
    let numbers: HashSet<i64> = counters.iter().map(|(counter, ..)| *counter).collect();
    let did = did(tx, member_id, Vec::from_iter(numbers)).await?;
    for (counter, place, kind) in counters {
        if let Some(total) = totals[place].get_mut(&kind) {
            total.did_at = did.get(&counter).copied();
        }
    }
    Ok(totals)
}

/// When a member last counted in each of these counters.
async fn did(
    tx: &Transaction<'_>,
    member_id: &str,
    counters: Vec<i64>,
) -> Result<HashMap<i64, DateTime<Utc>>, StoreError> {
    let mut did = HashMap::new();
    let rows = query(tx, sql::READ_MEMBER, &[&member_id]).await?;
    let Some(row) = rows.first() else {
        return Ok(did);
    };
    let member: i64 = row.try_get("member")?;
    let mut note = |counter: i64, at: DateTime<Utc>| {
        let latest = did.entry(counter).or_insert(at);
        *latest = at.max(*latest);
    };
    for row in query(tx, sql::READ_DID, &[&member, &counters]).await? {
        note(row.try_get("counter")?, row.try_get("at")?);
    }
    for row in query(tx, sql::READ_DID_PACKED, &[&member, &counters]).await? {
        let counter = row.try_get("counter")?;
        let own = |record: &&Record| record.member == member;
        if let Some(at_ms) = unpack(&row)?.iter().filter(own).map(|record| record.at_ms).max() {
            note(counter, instant(at_ms));
        }
    }
    Ok(did)
}
