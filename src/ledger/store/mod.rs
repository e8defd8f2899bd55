//! Table `ledger`.

pub mod sql;

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;
use tokio_util::sync::CancellationToken;

use super::{
    Element,
    refused::{Gathered, Refused, Row},
};
use crate::postgres::{Store, StoreError, Transaction, execute, kept_days, query};

/// Between two writes of what was refused.
const PERIOD: Duration = Duration::from_secs(1);
/// A process that ends waits so long for its last write.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// Rows that are removed in one transaction.
const MAX_PIECE_ROWS: i64 = 20_000;

/// What is added to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added<'a> {
    /// Empty for all videos of which nothing was ever accepted.
    pub video_id: &'a str,
    pub day: NaiveDate,
    pub element: Element,
    pub outcome: &'a str,
    pub elements: u64,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub day: NaiveDate,
    /// True for views, false for heartbeats.
    pub is_view: bool,
    pub outcome: String,
    pub elements: u64,
}

impl Store {
    /// Writes what was refused: by the name of its video where something was ever accepted of that, and else together.
    pub async fn write_refused(&self, refused: &Refused) -> Result<(), StoreError> {
        let named: BTreeSet<&str> = refused.rows().filter_map(|(row, _)| row.video_id.as_deref()).collect();
        let named = Vec::from_iter(named);
        self.run_tx("write_refused", |tx| {
            let named = &named;
            async move {
                let mut known: HashSet<String> = HashSet::new();
                // Apart, as the tables may be on different servers.
                for statement in [sql::READ_KNOWN_VIDEOS, sql::READ_GROWN_VIDEOS, sql::READ_COMPACTED_VIDEOS]
                {
                    for row in query(tx, statement, &[named]).await? {
                        known.insert(row.try_get("video_id")?);
                    }
                }
                let added: Vec<Added<'_>> =
                    refused.rows().map(|(row, elements)| added(row, elements, &known)).collect();
                add_in(tx, &added).await
            }
            .scope_boxed()
        })
        .await
    }

    /// Returns the rows of a video, or of all unknown ones if the name is empty, between two days, by day.
    pub async fn read_ledger(
        &self,
        video_id: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<Entry>, StoreError> {
        self.run_tx("read_ledger", |tx| {
            async move {
                let entry = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
                    Ok(Entry {
                        day: row.try_get("day")?,
                        is_view: row.try_get::<_, &str>("element")? == Element::View.name(),
                        outcome: row.try_get("outcome")?,
                        elements: row.try_get::<_, i64>("elements")?.max(0) as u64,
                    })
                };
                query(tx, sql::READ_LEDGER, &[&video_id, &from, &to]).await?.iter().map(entry).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Removes the rows of days that are not kept; returns how many.
    pub async fn delete_unkept_ledger(&self) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let rows = self
                .run_tx("delete_unkept_ledger", |tx| {
                    async move {
                        let kept_from = kept_days::read(tx).await?.kept_from;
                        execute(tx, sql::DELETE_UNKEPT_LEDGER, &[&kept_from, &MAX_PIECE_ROWS]).await
                    }
                    .scope_boxed()
                })
                .await?;
            deleted += rows;
            if rows == 0 {
                return Ok(deleted);
            }
        }
    }
}

/// What the ledger says of elements that were refused alike.
fn added<'a>(row: &'a Row, elements: u64, known: &HashSet<String>) -> Added<'a> {
    let video_id = row.video_id.as_deref().filter(|named| known.contains(*named)).unwrap_or("");
    Added { video_id, day: row.day, element: row.element, outcome: row.reason.name(), elements }
}

/// Adds rows to the ledger, in the transaction that they are the outcome of.
pub(crate) async fn add_in(tx: &Transaction<'_>, added: &[Added<'_>]) -> Result<(), StoreError> {
    if added.is_empty() {
        return Ok(());
    }
    let videos: Vec<&str> = added.iter().map(|added| added.video_id).collect();
    let days: Vec<NaiveDate> = added.iter().map(|added| added.day).collect();
    let elements: Vec<&str> = added.iter().map(|added| added.element.name()).collect();
    let outcomes: Vec<&str> = added.iter().map(|added| added.outcome).collect();
    let counts: Vec<i64> =
        added.iter().map(|added| i64::try_from(added.elements).unwrap_or(i64::MAX)).collect();
    execute(tx, sql::ADD_TO_LEDGER, &[&videos, &days, &elements, &outcomes, &counts]).await?;
    Ok(())
}

/// Removes a video's rows of these days.
pub(crate) async fn forget_in(
    tx: &Transaction<'_>,
    video_id: &str,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<u64, StoreError> {
    execute(tx, sql::FORGET_LEDGER, &[&video_id, &first_day, &last_day]).await
}

/// Writes what was gathered. What could not be written is tried again with the next; what may have been written is not, as
/// it would count twice.
pub async fn write(store: &Store, gathered: &Gathered) -> Result<(), StoreError> {
    let refused = gathered.take();
    if refused.is_empty() {
        return Ok(());
    }
    let outcome = store.write_refused(&refused).await;
    if let Err(error) = &outcome
        && !matches!(error, StoreError::OutcomeUnknown(_))
    {
        gathered.merge(refused);
    }
    outcome
}

/// Writes what is gathered each second until told to stop.
pub async fn keep_writing(store: Store, gathered: Gathered, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
        if let Err(error) = write(&store, &gathered).await {
            tracing::debug!(%error, "what was refused is not in the ledger yet: {error}");
        }
    }
}

/// Writes what the last requests have left, if that is possible at once.
pub async fn write_last(store: &Store, gathered: &Gathered) {
    match tokio::time::timeout(LAST_WAIT, write(store, gathered)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the last refusals are not in the ledger: {error}"),
        Err(_) => tracing::warn!("the last refusals are not in the ledger: postgres took too long"),
    }
}
