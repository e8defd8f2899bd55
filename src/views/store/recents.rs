//! Table `recent_views`, whose rows whoever changes them locks first, sorted by key.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use tokio_postgres::{Row, types::ToSql};

use super::sql;
use crate::{
    postgres::{StoreError, Transaction, execute, query},
    views::fold::{ChangedRecent, Key, Recent},
};

/// Locks the rows of keys, which come sorted, and returns those that there are.
pub(crate) async fn lock<'a>(
    tx: &Transaction<'_>,
    keys: &[Key<'a>],
) -> Result<BTreeMap<Key<'a>, Recent>, StoreError> {
    let videos: Vec<&str> = keys.iter().map(|key| key.video_id).collect();
    let viewers: Vec<i64> = keys.iter().map(|key| key.viewer).collect();
    let mut recents = BTreeMap::new();
    for row in query(tx, sql::LOCK_RECENTS, &[&videos, &viewers]).await? {
        let (video_id, viewer): (&str, i64) = (row.try_get("video_id")?, row.try_get("viewer")?);
        // The keys own the names: a row's is gone with the row.
        if let Ok(place) = keys.binary_search(&Key { video_id, viewer }) {
            recents.insert(keys[place], recent(&row)?);
        }
    }
    Ok(recents)
}

fn recent(row: &Row) -> Result<Recent, StoreError> {
    Ok(Recent {
        epoch: row.try_get("epoch")?,
        views: row.try_get("views")?,
        region: row.try_get("region")?,
        first_at: row.try_get("first_at")?,
        last_at: row.try_get("last_at")?,
        first_counted_at: row.try_get("first_counted_at")?,
        last_counted_at: row.try_get("last_counted_at")?,
    })
}

/// Writes rows back, the new ones and the locked ones; returns how many.
pub(crate) async fn write(
    tx: &Transaction<'_>,
    recents: &BTreeMap<Key<'_>, ChangedRecent>,
) -> Result<u64, StoreError> {
    let mut rows = 0;
    for is_new in [true, false] {
        let columns = Columns::of(recents.iter().filter(|(_, changed)| changed.is_new == is_new));
        if columns.videos.is_empty() {
            continue;
        }
        rows += columns.write(tx, is_new).await?;
    }
    Ok(rows)
}

#[derive(Default)]
struct Columns<'a> {
    videos: Vec<&'a str>,
    viewers: Vec<i64>,
    epochs: Vec<NaiveDate>,
    views: Vec<i64>,
    regions: Vec<&'a str>,
    firsts: Vec<DateTime<Utc>>,
    lasts: Vec<DateTime<Utc>>,
    firsts_counted: Vec<DateTime<Utc>>,
    lasts_counted: Vec<DateTime<Utc>>,
}

impl<'a> Columns<'a> {
    fn of(changed: impl Iterator<Item = (&'a Key<'a>, &'a ChangedRecent)>) -> Self {
        let mut columns = Columns::default();
        for (key, ChangedRecent { recent, .. }) in changed {
            columns.videos.push(key.video_id);
            columns.viewers.push(key.viewer);
            columns.epochs.push(recent.epoch);
            columns.views.push(recent.views);
            columns.regions.push(&recent.region);
            columns.firsts.push(recent.first_at);
            columns.lasts.push(recent.last_at);
            columns.firsts_counted.push(recent.first_counted_at);
            columns.lasts_counted.push(recent.last_counted_at);
        }
        columns
    }

    async fn write(&self, tx: &Transaction<'_>, is_new: bool) -> Result<u64, StoreError> {
        let Columns { videos, viewers, epochs, views, regions, firsts, lasts, firsts_counted, lasts_counted } =
            self;
        if is_new {
            let parameters: &[&(dyn ToSql + Sync)] =
                &[videos, viewers, epochs, views, regions, firsts, lasts, firsts_counted, lasts_counted];
            return execute(tx, sql::INSERT_RECENTS, parameters).await;
        }
        let parameters: &[&(dyn ToSql + Sync)] =
            &[videos, viewers, views, firsts, lasts, firsts_counted, lasts_counted, regions];
        execute(tx, sql::UPDATE_RECENTS, parameters).await
    }
}
