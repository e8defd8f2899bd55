//! Table `nights`: what became of each step of the nightly job, whichever process ran it; and the server's clock.

use chrono::{DateTime, Utc};
use scoped_futures::ScopedFutureExt;

use super::{Store, StoreError, execute, query, sql};

/// How it stands with one step of the nightly job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightRow {
    pub step: String,
    /// The instant of the last success; none if there was none yet.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// The reason why the last try failed; none if it succeeded.
    pub failure: Option<String>,
}

impl Store {
    /// Returns the time as the server has it.
    pub async fn server_time(&self) -> Result<DateTime<Utc>, StoreError> {
        self.run_tx("read_clock", |tx| {
            async move { Ok(query(tx, sql::READ_CLOCK, &[]).await?[0].try_get("now")?) }.scope_boxed()
        })
        .await
    }

    /// Returns what is known of the steps that were ever tried.
    pub async fn nights(&self) -> Result<Vec<NightRow>, StoreError> {
        self.run_tx("read_nights", |tx| {
            async move {
                let rows = query(tx, sql::READ_NIGHTS, &[]).await?;
                let night = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
                    Ok(NightRow {
                        step: row.try_get("step")?,
                        succeeded_at: row.try_get("succeeded_at")?,
                        failure: row.try_get("failure")?,
                    })
                };
                rows.iter().map(night).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Notes that a step was tried, and why it failed if it did.
    pub async fn write_night(
        &self,
        step: &str,
        tried_at: DateTime<Utc>,
        failure: Option<&str>,
    ) -> Result<(), StoreError> {
        self.run_tx("write_night", |tx| {
            async move { execute(tx, sql::WRITE_NIGHT, &[&step, &tried_at, &failure]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }
}
