//! The read of what a page shows: a row a video, however much was viewed.

use std::collections::HashMap;

use chrono::NaiveDate;
use futures_util::future::try_join4;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::{rule, sql};
use crate::{
    postgres::{Store, StoreError, Tables, Transaction, query},
    viewers::{
        epoch::{Purpose, Rotation},
        store::epochs_of,
    },
    views::rule::Rule,
};

/// A row of `view_totals`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub views: u64,
    pub recent_viewers: u64,
    /// The estimates of all epochs, added.
    pub lifetime_viewers: u64,
    /// Rows that the archive has taken.
    pub archived_viewers: u64,
    /// Rows that became another viewer's.
    pub merged_viewers: u64,
    /// Epochs whose sketch is no list any more.
    pub estimated_epochs: u32,
    /// First days of the first and the last epoch with views.
    pub epochs: Option<(NaiveDate, NaiveDate)>,
}

/// What the answers about videos are made of.
#[derive(Debug, Clone)]
pub struct VideoTotals {
    /// Those of the videos that have any.
    pub videos: HashMap<String, Totals>,
    pub rule: Rule,
    /// From which day on recent views are kept; none before the first archive.
    pub recent_from: Option<NaiveDate>,
    /// First days of all of views' salt epochs, ascending, and how they were opened.
    pub epochs: Vec<(NaiveDate, Rotation)>,
}

/// Locks the totals of those of the videos that have any; they come sorted. Returns how many have.
pub(super) async fn lock(tx: &Transaction<'_>, tables: Tables, videos: &[&str]) -> Result<usize, StoreError> {
    let statement = tables.form(sql::LOCK_TOTALS, sql::LOCK_TOTALS_DISTRIBUTED);
    Ok(query(tx, statement, &[&videos]).await?.len())
}

impl Store {
    /// Returns the totals of videos, in one snapshot.
    pub async fn view_totals(&self, videos: &[String]) -> Result<VideoTotals, StoreError> {
        self.run_read(sql::PREPARE_VIEW_READS, |tx| async move { read(tx, videos).await }.scope_boxed()).await
    }
}

async fn read(tx: &Transaction<'_>, videos: &[String]) -> Result<VideoTotals, StoreError> {
    let (first, last) = Rotation::Never.span(NaiveDate::default());
    // On their way together: an answer costs one trip to the server more than it has to, not four.
    let (rows, rule, recent_from, (first_days, rotations)) = try_join4(
        query(tx, sql::READ_VIEW_TOTALS, &[&videos]),
        rule::read(tx),
        recent_from(tx),
        epochs_of(tx, Purpose::Views, first, last),
    )
    .await?;
    let video = |row: &Row| -> Result<_, StoreError> { Ok((row.try_get("video_id")?, totals(row)?)) };
    Ok(VideoTotals {
        videos: rows.iter().map(video).collect::<Result<_, _>>()?,
        rule,
        recent_from,
        epochs: first_days.into_iter().zip(rotations).collect(),
    })
}

async fn recent_from(tx: &Transaction<'_>) -> Result<Option<NaiveDate>, StoreError> {
    Ok(query(tx, sql::READ_RECENT_FROM, &[]).await?[0].try_get("recent_from")?)
}

fn totals(row: &Row) -> Result<Totals, StoreError> {
    let count = |name: &str| row.try_get::<_, i64>(name).map(|count| count.max(0) as u64);
    let first_epoch: Option<NaiveDate> = row.try_get("first_epoch")?;
    Ok(Totals {
        views: count("views")?,
        recent_viewers: count("recent_viewers")?,
        lifetime_viewers: count("lifetime_viewers")?,
        archived_viewers: count("archived_viewers")?,
        merged_viewers: count("merged_viewers")?,
        estimated_epochs: row.try_get::<_, i32>("estimated_epochs")?.max(0) as u32,
        epochs: first_epoch.zip(row.try_get("last_epoch")?),
    })
}
