//! Table `view_rule`: what a view is. It stands in the database, so that what answers say is what the fold does.

use scoped_futures::ScopedFutureExt;

use super::sql;
use crate::{
    postgres::{Store, StoreError, Transaction, execute, query},
    views::rule::Rule,
};

impl Store {
    /// Returns what a view is.
    pub async fn view_rule(&self) -> Result<Rule, StoreError> {
        self.run_tx("read_rule", |tx| async move { read(tx).await }.scope_boxed()).await
    }

    /// Changes what a view is from now on; what is left out stays.
    pub async fn set_view_rule(
        &self,
        after_secs: Option<u32>,
        window_mins: Option<u32>,
    ) -> Result<(), StoreError> {
        let (after_secs, window_mins) =
            (after_secs.map(|secs| secs as i32), window_mins.map(|mins| mins as i32));
        self.run_tx("write_rule", |tx| {
            async move { execute(tx, sql::WRITE_RULE, &[&after_secs, &window_mins]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }
}

/// Returns what a view is, as this snapshot has it.
pub(crate) async fn read(tx: &Transaction<'_>) -> Result<Rule, StoreError> {
    let rows = query(tx, sql::READ_RULE, &[]).await?;
    let number = |name: &str| rows[0].try_get::<_, i32>(name).map(|number| number as u32);
    Ok(Rule { after_secs: number("after_secs")?, window_mins: number("window_mins")? })
}
