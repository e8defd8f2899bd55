//! Starting values: totals that were counted before there were records.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;

use super::{sql, write::counter};
use crate::{
    counters::element::CounterName,
    postgres::{Store, StoreError, execute, query},
};

impl Store {
    /// Sets what counters start from, each instead of what it started from before: said twice, it counts once. Returns how
    /// many changed. A total that would not fit is refused, and with it the others.
    pub async fn set_starting(&self, starting: &HashMap<CounterName, i64>) -> Result<u64, StoreError> {
        let mut names: Vec<&CounterName> = starting.keys().collect();
        names.sort_unstable();
        self.make_counters(&names).await?;
        self.run_tx("set_starting", |tx| {
            let names = &names;
            async move { set(tx, names, starting).await }.scope_boxed()
        })
        .await
    }
}

async fn set(
    tx: &Transaction<'_>,
    names: &[&CounterName],
    starting: &HashMap<CounterName, i64>,
) -> Result<u64, StoreError> {
    tx.batch_execute(sql::PREPARE_WRITE).await?;
    let types: Vec<&str> = names.iter().map(|name| name.object_type.as_str()).collect();
    let ids: Vec<&str> = names.iter().map(|name| name.object_id.as_str()).collect();
    let kinds: Vec<i16> = names.iter().map(|name| name.kind).collect();
    let rows = query(tx, sql::LOCK_COUNTERS, &[&types, &ids, &kinds]).await?;
    let mut places = HashMap::with_capacity(rows.len());
    for row in &rows {
        let (place, number): (i64, i64) = (row.try_get("place")?, row.try_get("counter")?);
        places.insert(number, (names[place as usize - 1], counter(row)?.total));
    }
    let (mut numbers, mut starts, mut totals) = (Vec::new(), Vec::new(), Vec::new());
    let found: Vec<i64> = places.keys().copied().collect();
    for row in query(tx, sql::LOCK_COUNTERS_BY_NUMBER, &[&found]).await? {
        let (number, before): (i64, i64) = (row.try_get("counter")?, row.try_get("starting")?);
        let (name, total) = places[&number];
        let wanted = starting[name];
        let total = i128::from(total) - i128::from(before) + i128::from(wanted);
        let total = i64::try_from(total)
            .map_err(|_| StoreError::BadValue("a total would not fit into 64 bits".to_owned()))?;
        if wanted != before {
            numbers.push(number);
            starts.push(wanted);
            totals.push(total);
        }
    }
    execute(tx, sql::SET_STARTING, &[&numbers, &starts, &totals]).await
}
