//! Table `default_region`: the region of whoever names none, for workers, which have no setting of it.

use scoped_futures::ScopedFutureExt;

use super::{Store, StoreError, Transaction, execute, query, sql};

impl Store {
    /// Says what the default region is from now on.
    pub async fn set_default_region(&self, region: &str) -> Result<(), StoreError> {
        self.run_tx("write_default_region", |tx| {
            async move { execute(tx, sql::WRITE_DEFAULT_REGION, &[&region]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }
}

/// Returns the default region.
pub(crate) async fn read(tx: &Transaction<'_>) -> Result<String, StoreError> {
    Ok(query(tx, sql::READ_DEFAULT_REGION, &[]).await?[0].try_get("region")?)
}
