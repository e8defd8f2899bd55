//! Table `drift`: what the last reconciliation found.

use chrono::{DateTime, Utc};
use scoped_futures::ScopedFutureExt;

use super::{Store, StoreError, execute, query, sql};

impl Store {
    /// Notes how many numbers had drifted.
    pub async fn write_drift(&self, name: &str, found: u64, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.run_tx("write_drift", |tx| {
            async move { execute(tx, sql::WRITE_DRIFT, &[&name, &(found as i64), &at]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Returns the numbers that were noted last, by name.
    pub async fn read_drift(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.run_tx("read_drift", |tx| {
            async move {
                let rows = query(tx, sql::READ_DRIFT, &[]).await?;
                let drift = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
                    Ok((row.try_get("name")?, row.try_get::<_, i64>("found")? as u64))
                };
                rows.iter().map(drift).collect()
            }
            .scope_boxed()
        })
        .await
    }
}
