//! Table `counter_kinds`.

use scoped_futures::ScopedFutureExt;

use super::sql;
use crate::{
    counters::kinds::{Kind, Kinds, Mode},
    postgres::{Store, StoreError, Transaction, execute, query},
};

impl Store {
    /// The kinds there are.
    pub async fn counter_kinds(&self) -> Result<Kinds, StoreError> {
        self.run_tx("read_kinds", |tx| async move { read(tx).await }.scope_boxed()).await
    }

    /// Adds a kind; false if there is one of this name, whatever its mode.
    pub async fn add_counter_kind(&self, name: &str, mode: Mode) -> Result<bool, StoreError> {
        let added = self
            .run_tx("insert_kind", |tx| {
                async move { execute(tx, sql::INSERT_KIND, &[&name, &mode.name()]).await }.scope_boxed()
            })
            .await?;
        Ok(added > 0)
    }
}

pub(super) async fn read(tx: &Transaction<'_>) -> Result<Kinds, StoreError> {
    let mut kinds = Vec::new();
    for row in query(tx, sql::READ_KINDS, &[]).await? {
        let mode: &str = row.try_get("mode")?;
        let mode = mode.parse().map_err(StoreError::Unsuitable)?;
        kinds.push(Kind { id: row.try_get("kind")?, name: row.try_get("name")?, mode });
    }
    Ok(Kinds::new(kinds))
}
