//! Table `recent_views`, whose rows whoever changes them locks first, sorted by key.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use tokio_postgres::{Row, types::ToSql};

use super::sql;
use crate::{
    postgres::{StoreError, Tables, Transaction, execute, query},
    views::fold::{ChangedRecent, Key, Recent},
};

/// Locks the rows of keys, which come sorted, and returns those that there are. Where the tables are distributed the totals of
/// their videos are locked already, and with them these rows.
pub(crate) async fn lock<'a>(
    tx: &Transaction<'_>,
    tables: Tables,
    keys: &[Key<'a>],
) -> Result<BTreeMap<Key<'a>, Recent>, StoreError> {
    let videos: Vec<&str> = keys.iter().map(|key| key.video_id).collect();
    let viewers: Vec<i64> = keys.iter().map(|key| key.viewer).collect();
    let mut recents = BTreeMap::new();
    let statement = tables.form(sql::LOCK_RECENTS, sql::READ_RECENTS_DISTRIBUTED);
    for row in query(tx, statement, &[&videos, &viewers]).await? {
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
    tables: Tables,
    recents: &BTreeMap<Key<'_>, ChangedRecent>,
) -> Result<u64, StoreError> {
    if tables == Tables::Distributed {
        return Columns::of(recents.iter()).write(tx, sql::WRITE_RECENTS_DISTRIBUTED).await;
    }
    let mut rows = 0;
    for is_new in [true, false] {
        let columns = Columns::of(recents.iter().filter(|(_, changed)| changed.is_new == is_new));
        if columns.videos.is_empty() {
            continue;
        }
        rows += match is_new {
            true => columns.write(tx, sql::INSERT_RECENTS).await?,
            false => columns.update(tx).await?,
        };
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

    /// Writes whole rows.
    async fn write(&self, tx: &Transaction<'_>, statement: &str) -> Result<u64, StoreError> {
        let Columns { videos, viewers, epochs, views, regions, firsts, lasts, firsts_counted, lasts_counted } =
            self;
        let parameters: &[&(dyn ToSql + Sync)] =
            &[videos, viewers, epochs, views, regions, firsts, lasts, firsts_counted, lasts_counted];
        execute(tx, statement, parameters).await
    }

    async fn update(&self, tx: &Transaction<'_>) -> Result<u64, StoreError> {
        let Columns {
            videos,
            viewers,
            epochs: _,
            views,
            regions,
            firsts,
            lasts,
            firsts_counted,
            lasts_counted,
        } = self;
        let parameters: &[&(dyn ToSql + Sync)] =
            &[videos, viewers, views, firsts, lasts, firsts_counted, lasts_counted, regions];
        execute(tx, sql::UPDATE_RECENTS, parameters).await
    }
}
