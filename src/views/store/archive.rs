//! The archive: old rows leave `recent_views` in pieces, each a transaction that corrects the totals with them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{recents, sql, totals};
use crate::{
    postgres::{Store, StoreError, Tables, Transaction, execute, query},
    views::fold::Key,
};

/// A row of `recent_views`, by its key.
pub type RecentKey = (String, i64);

impl Store {
    /// Says from which day on recent views are kept, before any of them leaves.
    pub async fn advance_recent_from(&self, recent_from: NaiveDate) -> Result<(), StoreError> {
        self.run_tx("advance_recent_from", |tx| {
            async move { execute(tx, sql::ADVANCE_RECENT_FROM, &[&recent_from]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Returns some rows whose last view is before a day, sorted by key.
    pub async fn archivable_views(
        &self,
        before: NaiveDate,
        limit: usize,
    ) -> Result<Vec<RecentKey>, StoreError> {
        let limit = limit as i64;
        let mut keys: Vec<RecentKey> = self
            .run_tx("read_archivable", |tx| {
                async move {
                    tx.batch_execute(sql::PREPARE_VIEW_PIECES).await?;
                    let rows = query(tx, sql::READ_ARCHIVABLE, &[&before, &limit]).await?;
                    rows.iter()
                        .map(|row| Ok((row.try_get("video_id")?, row.try_get("viewer")?)))
                        .collect::<Result<_, _>>()
                }
                .scope_boxed()
            })
            .await?;
        keys.sort_unstable();
        Ok(keys)
    }

    /// Archives those of the rows whose last view is still before a day; returns how many. The keys come sorted.
    pub async fn archive_views(&self, keys: &[RecentKey], before: NaiveDate) -> Result<u64, StoreError> {
        self.run_tx("archive_views", |tx| {
            async move { archive(tx, self.tables(), keys, before).await }.scope_boxed()
        })
        .await
    }
}

async fn archive(
    tx: &Transaction<'_>,
    tables: Tables,
    keys: &[RecentKey],
    before: NaiveDate,
) -> Result<u64, StoreError> {
    tx.batch_execute(sql::PREPARE_VIEW_PIECES).await?;
    let keys: Vec<Key<'_>> =
        keys.iter().map(|(video_id, viewer)| Key { video_id, viewer: *viewer }).collect();
    if tables == Tables::Distributed {
        let mut videos: Vec<&str> = keys.iter().map(|key| key.video_id).collect();
        videos.dedup();
        totals::lock(tx, tables, &videos).await?;
    }
    let mut locked = recents::lock(tx, tables, &keys).await?;
    // Whoever has come back since stays.
    locked.retain(|_, recent| recent.last_at.date_naive() < before);
    if locked.is_empty() {
        return Ok(0);
    }
    let (videos, viewers): (Vec<&str>, Vec<i64>) =
        locked.keys().map(|key| (key.video_id, key.viewer)).unzip();
    execute(tx, sql::DELETE_RECENTS, &[&videos, &viewers]).await?;
    crash_point!("archive::amid_piece");
    let mut by_video: BTreeMap<&str, i64> = BTreeMap::new();
    for video_id in &videos {
        *by_video.entry(video_id).or_default() += 1;
    }
    let (names, rows): (Vec<&str>, Vec<i64>) = by_video.into_iter().unzip();
    totals::lock(tx, tables, &names).await?;
    execute(tx, sql::ARCHIVE_TOTALS, &[&names, &rows]).await?;
    Ok(videos.len() as u64)
}
