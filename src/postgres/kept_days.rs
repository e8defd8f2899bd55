//! Table `retention`: the days from which on rows are kept.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{Store, StoreError, Transaction, execute, query, sql};

/// Rows are kept from these days on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The first day that is kept.
    pub kept_from: NaiveDate,
    /// The first day that is kept by the second.
    pub fine_from: NaiveDate,
}

impl Retention {
    /// True if no day was ever given up.
    pub fn keeps_all(&self) -> bool {
        self.kept_from <= NaiveDate::from_ymd_opt(1, 1, 1).expect("a day of the calendar")
    }
}

impl Store {
    /// Returns the days from which on rows are kept.
    pub async fn retention(&self) -> Result<Retention, StoreError> {
        self.run_tx("read_retention", |tx| async move { read(tx).await }.scope_boxed()).await
    }

    /// Moves the days from which on rows are kept forward, never back.
    pub async fn advance_retention(
        &self,
        kept_from: Option<NaiveDate>,
        fine_from: Option<NaiveDate>,
    ) -> Result<(), StoreError> {
        self.run_tx("advance_retention", |tx| {
            async move { execute(tx, sql::ADVANCE_RETENTION, &[&kept_from, &fine_from]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Returns the day before which all days are thinned.
    pub async fn thinned_to(&self) -> Result<NaiveDate, StoreError> {
        self.run_tx("read_thinned", |tx| async move { read_thinned(tx).await }.scope_boxed()).await
    }

    /// Notes that all days before `thinned_to` are thinned.
    pub async fn advance_thinned(&self, thinned_to: NaiveDate) -> Result<(), StoreError> {
        self.run_tx("advance_thinned", |tx| {
            async move { execute(tx, sql::ADVANCE_THINNED, &[&thinned_to]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }
}

/// Returns the day before which all days are thinned, as this snapshot has it.
pub(crate) async fn read_thinned(tx: &Transaction<'_>) -> Result<NaiveDate, StoreError> {
    Ok(query(tx, sql::READ_THINNED, &[]).await?[0].try_get("thinned_to")?)
}

/// Returns the days from which on rows are kept, as this snapshot has them.
pub(crate) async fn read(tx: &Transaction<'_>) -> Result<Retention, StoreError> {
    let rows = query(tx, sql::READ_RETENTION, &[]).await?;
    Ok(Retention { kept_from: rows[0].try_get("kept_from")?, fine_from: rows[0].try_get("fine_from")? })
}
