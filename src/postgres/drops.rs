//! Partitions are dropped in nobody's way.
//!
//! A DROP needs the partitioned table for itself, and whoever comes behind it waits for as long as it waits. So it first looks
//! whether somebody has been using the table for long, as a dump or an analyst does: then it would wait in vain, and steps
//! aside. Otherwise it asks for the table for a moment, and for a longer one each time that short reads which overlap did not
//! let it in. So no statement waits for a drop longer than [`LONGEST_WAIT`] and the drop itself, which is of one partition.
//!
//! `DETACH … CONCURRENTLY` lets everybody pass, and is worse here. It waits for the same readers, and meanwhile the partition
//! takes no rows: a late heartbeat could not be folded. What it has begun outlives a crash, and keeps its table from any
//! other detachment and the partition from being dropped until somebody finalizes it. It cannot look whether a partition is
//! empty and take it away in one transaction. And it cannot be had for distributed tables.

use std::{collections::HashSet, time::Duration};

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{Store, StoreError, query, sql};

/// Whoever asks for a table first asks for so long, and for twice as long each time.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);
/// But for no longer than this.
const LONGEST_WAIT: Duration = Duration::from_millis(320);
/// Between two looks whether a table is free: who uses it at both has been using it for long.
const LOOK_PERIOD: Duration = Duration::from_millis(500);
/// A table that was not free so often is left to the next night.
const MAX_LOOKS: u32 = 60;

impl Store {
    /// Runs a statement that drops a partition of one of these tables and takes a day; returns what it says it dropped, or none
    /// where the tables are in use all the time.
    pub(crate) async fn drop_when_free(
        &self,
        tables: &[&str],
        statement: &str,
        day: NaiveDate,
    ) -> Result<Option<bool>, StoreError> {
        let (mut users, mut wait) = (HashSet::new(), SHORTEST_WAIT);
        for look in 0..MAX_LOOKS {
            if look > 0 {
                tokio::time::sleep(LOOK_PERIOD).await;
            }
            let users_before = std::mem::replace(&mut users, self.users_of(tables).await?);
            if !users.is_disjoint(&users_before) {
                continue;
            }
            match self.try_drop(statement, day, wait).await {
                Err(StoreError::Conflict(_)) => wait = LONGEST_WAIT.min(wait * 2),
                outcome => return outcome.map(Some),
            }
        }
        tracing::warn!(
            ?tables,
            "partitions that are to be dropped are in use, the next night will drop them"
        );
        Ok(None)
    }

    /// Returns the transactions that use one of these tables, or a partition of one.
    async fn users_of(&self, tables: &[&str]) -> Result<HashSet<String>, StoreError> {
        self.run_tx("read_table_users", |tx| {
            async move {
                let rows = query(tx, sql::READ_TABLE_USERS, &[&tables]).await?;
                rows.iter().map(|row| Ok(row.try_get("virtualtransaction")?)).collect()
            }
            .scope_boxed()
        })
        .await
    }

    async fn try_drop(&self, statement: &str, day: NaiveDate, wait: Duration) -> Result<bool, StoreError> {
        let wait = format!("{}ms", wait.as_millis());
        self.run_tx_once(|tx| {
            let wait = &wait;
            async move {
                query(tx, sql::LIMIT_DROP_WAIT, &[wait]).await?;
                Ok(query(tx, statement, &[&day]).await?[0].try_get("dropped")?)
            }
            .scope_boxed()
        })
        .await
    }
}
