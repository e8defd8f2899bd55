//! Tables `catalogue` and `catalogue_changes`.

pub mod sql;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use scoped_futures::ScopedFutureExt;
use tokio_postgres::{Row, types::ToSql};

use super::entry::Entry;
use crate::postgres::{Store, StoreError, Transaction, execute, query};

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub entry: Entry,
    pub updated_at: DateTime<Utc>,
}

/// What changed since a change that somebody knew.
#[derive(Debug, PartialEq, Eq)]
pub struct Changes {
    /// The number of the latest change.
    pub change: i64,
    /// The videos whose entries were written since, none if entries were removed or too many were written.
    pub written: Option<Vec<String>>,
}

impl Store {
    /// Writes entries, each as a whole, in one transaction.
    pub async fn put_entries(
        &self,
        entries: &BTreeMap<String, Entry>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        fn column<'e, T>(entries: &'e BTreeMap<String, Entry>, field: impl Fn(&'e Entry) -> T) -> Vec<T> {
            entries.values().map(field).collect()
        }
        let videos: &Vec<&String> = &entries.keys().collect();
        let titles = &column(entries, |entry| entry.title.as_deref());
        let durations = &column(entries, |entry| entry.duration_sec);
        let channels = &column(entries, |entry| entry.channel.as_deref());
        let thumbnails = &column(entries, |entry| entry.thumbnail_url.as_deref());
        let published = &column(entries, |entry| entry.published_at);
        self.run_tx("put_entries", |tx| {
            async move {
                let change: i64 = query(tx, sql::NEXT_CHANGE, &[]).await?[0].try_get("change")?;
                let parameters: &[&(dyn ToSql + Sync)] =
                    &[&change, &now, videos, titles, durations, channels, thumbnails, published];
                execute(tx, sql::PUT_ENTRIES, parameters).await?;
                Ok(())
            }
            .scope_boxed()
        })
        .await
    }

    /// Removes an entry; returns false if there was none.
    pub async fn delete_entry(&self, video_id: &str) -> Result<bool, StoreError> {
        self.run_tx("delete_entry", |tx| async move { delete_in(tx, video_id).await }.scope_boxed()).await
    }

    /// Returns the entries that there are of these videos.
    pub async fn read_entries(&self, videos: &[&str]) -> Result<HashMap<String, Kept>, StoreError> {
        self.run_tx("read_entries", |tx| {
            async move { query(tx, sql::READ_ENTRIES, &[&videos]).await?.iter().map(kept).collect() }
                .scope_boxed()
        })
        .await
    }

    /// Returns the videos of a channel by id, at most so many.
    pub async fn videos_of_channel(&self, channel: &str, most: usize) -> Result<Vec<String>, StoreError> {
        let most = most as i64;
        self.run_tx("read_channel", |tx| {
            async move { video_ids(&query(tx, sql::READ_CHANNEL, &[&channel, &most]).await?) }.scope_boxed()
        })
        .await
    }

    /// Returns the channels of those of the videos that have one.
    pub async fn read_channels(&self, videos: &[&str]) -> Result<HashMap<String, String>, StoreError> {
        self.run_tx("read_channels", |tx| {
            async move {
                let rows = query(tx, sql::READ_CHANNELS, &[&videos]).await?;
                rows.iter().map(|row| Ok((row.try_get("video_id")?, row.try_get("channel")?))).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Returns the durations of those of the videos that have one.
    pub async fn read_durations(&self, videos: &[&str]) -> Result<HashMap<String, f64>, StoreError> {
        self.run_tx("read_durations", |tx| {
            async move {
                let rows = query(tx, sql::READ_DURATIONS, &[&videos]).await?;
                rows.iter().map(|row| Ok((row.try_get("video_id")?, row.try_get("duration_sec")?))).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Returns what changed since the change of this number.
    pub(super) async fn catalogue_changes(&self, known: i64, most: usize) -> Result<Changes, StoreError> {
        let limit = most as i64 + 1;
        self.run_tx("read_changes", |tx| {
            async move {
                let rows = query(tx, sql::READ_CHANGES, &[]).await?;
                let (change, removal): (i64, i64) = (rows[0].try_get("change")?, rows[0].try_get("removal")?);
                if change == known {
                    return Ok(Changes { change, written: Some(Vec::new()) });
                }
                // What is written after the first statement is dropped now and again at the next look: no harm.
                let written = video_ids(&query(tx, sql::READ_CHANGED, &[&known, &limit]).await?)?;
                // A count that went back is that of a database that was restored.
                let is_listed = removal <= known && known <= change && written.len() <= most;
                Ok(Changes { change, written: is_listed.then_some(written) })
            }
            .scope_boxed()
        })
        .await
    }
}

/// Removes an entry within a transaction that does more; returns false if there was none. Whoever changes the catalogue
/// waits for its end, so it comes last.
pub(crate) async fn delete_in(tx: &Transaction<'_>, video_id: &str) -> Result<bool, StoreError> {
    // The count moves only if there is something to remove: every process drops what it holds after a removal.
    Ok(execute(tx, sql::NEXT_REMOVAL, &[&video_id]).await? > 0
        && execute(tx, sql::DELETE_ENTRY, &[&video_id]).await? > 0)
}

fn video_ids(rows: &[Row]) -> Result<Vec<String>, StoreError> {
    rows.iter().map(|row| Ok(row.try_get("video_id")?)).collect()
}

fn kept(row: &Row) -> Result<(String, Kept), StoreError> {
    let entry = Entry {
        title: row.try_get("title")?,
        duration_sec: row.try_get("duration_sec")?,
        channel: row.try_get("channel")?,
        thumbnail_url: row.try_get("thumbnail_url")?,
        published_at: row.try_get("published_at")?,
    };
    Ok((row.try_get("video_id")?, Kept { entry, updated_at: row.try_get("updated_at")? }))
}
