//! Starting totals: what was counted before there were views here.

use std::collections::BTreeMap;

use scoped_futures::ScopedFutureExt;

use super::sql;
use crate::postgres::{Store, StoreError, execute};

impl Store {
    /// Sets what videos start from, each instead of what it started from before: said twice, it counts once. Returns how many
    /// changed.
    pub async fn set_starting_views(&self, starting: &BTreeMap<String, i64>) -> Result<u64, StoreError> {
        let videos: &Vec<&str> = &starting.keys().map(String::as_str).collect();
        let views: &Vec<i64> = &starting.values().copied().collect();
        self.run_tx("set_starting_views", |tx| {
            async move { execute(tx, sql::SET_STARTING_VIEWS, &[videos, views]).await }.scope_boxed()
        })
        .await
    }
}
