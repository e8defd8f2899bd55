//! The removal of rows that are not kept.

use chrono::{Datelike, NaiveDate};
use scoped_futures::ScopedFutureExt;
use tokio_postgres::{Row, types::ToSql};

use super::{locks, sql};
use crate::postgres::{Store, StoreError, Transaction, execute, kept_days, query};
use crate::viewers::epoch::Rotation;

/// The tables that are partitioned by days or months.
const PARTITIONED: &[&str] = &[
    "video_heatmap_whole_shards",
    "video_heatmap_shards",
    "video_heatmap_second_shards",
    "video_heatmap",
    "video_heatmap_5s",
    "video_heatmap_60s",
    "video_heatmap_whole",
    "video_heatmap_runs",
    "video_heatmap_spread",
];

/// A video on one day.
pub type VideoDay = (String, NaiveDate);

impl Store {
    /// Removes what is kept beside the rows of partitions whose days are not kept; returns whether there are any.
    pub async fn delete_beside_unkept(&self) -> Result<bool, StoreError> {
        self.run_tx("delete_beside_unkept", |tx| {
            async move {
                let kept_from = kept_days::read(tx).await?.kept_from;
                // Small tables, of what has changed lately.
                locks::lock_unkept(tx, self.tables(), kept_from).await?;
                execute(tx, sql::DELETE_UNKEPT_GROWTH, &[&kept_from]).await?;
                execute(tx, sql::DELETE_UNKEPT_UNCOUNTED, &[&kept_from]).await?;
                let rows = query(tx, sql::COUNT_UNKEPT_PARTITIONS, &[&kept_from]).await?;
                if rows[0].try_get::<_, i64>("partitions")? == 0 {
                    return Ok(false);
                }
                // Large ones, which are read from end to end: once a month, when a month is given up.
                let month = kept_from.with_day(1).expect("every month has a first day");
                execute(tx, sql::DELETE_UNKEPT_BOUNDS, &[&month]).await?;
                execute(tx, sql::DELETE_UNKEPT_COUNTS, &[&kept_from]).await?;
                Ok(true)
            }
            .scope_boxed()
        })
        .await
    }

    /// Drops a partition whose days are not kept; false if none is left, or if they are in use all the time.
    pub async fn drop_unkept_partition(&self) -> Result<bool, StoreError> {
        let kept_from = self.retention().await?.kept_from;
        let dropped = self.drop_when_free(PARTITIONED, sql::DROP_UNKEPT_PARTITION, kept_from).await?;
        Ok(dropped == Some(true))
    }

    /// Returns the videos behind `behind` that have canonical rows of days that are not kept, up to `max_videos`.
    pub async fn unkept_videos(&self, behind: &str, max_videos: u64) -> Result<Vec<String>, StoreError> {
        let max_videos = max_videos as i64;
        self.run_tx("read_unkept_videos", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
                let kept_from = kept_days::read(tx).await?.kept_from;
                let rows = query(tx, sql::READ_UNKEPT_VIDEOS, &[&kept_from, &behind, &max_videos]).await?;
                rows.iter().map(|row| Ok(row.try_get("video_id")?)).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Deletes the canonical rows of videos that are not kept; returns how many.
    pub async fn delete_unkept(&self, videos: &[String]) -> Result<u64, StoreError> {
        self.run_tx("delete_unkept", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
                let kept_from = kept_days::read(tx).await?.kept_from;
                let (first_day, _) = Rotation::Never.span(kept_from);
                let Some(last_day) = kept_from.pred_opt() else { return Ok(0) };
                lock_days(tx, videos, first_day, last_day).await?;
                let rows = query(tx, sql::DELETE_UNKEPT, &[&videos, &kept_from]).await?;
                Ok(rows[0].try_get::<_, i64>("rows")? as u64)
            }
            .scope_boxed()
        })
        .await
    }

    /// Returns the video-days behind `behind` that may have seconds though they are not kept by the second, up to
    /// `max_days`.
    pub async fn fine_days(&self, behind: &VideoDay, max_days: u64) -> Result<Vec<VideoDay>, StoreError> {
        let max_days = max_days as i64;
        self.run_tx("read_fine_days", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
                let fine_from = kept_days::read(tx).await?.fine_from;
                let thinned_to = kept_days::read_thinned(tx).await?;
                let parameters: &[&(dyn ToSql + Sync)] =
                    &[&thinned_to, &fine_from, &behind.0, &behind.1, &max_days];
                video_days(&query(tx, sql::READ_FINE_DAYS, parameters).await?)
            }
            .scope_boxed()
        })
        .await
    }

    /// Thins video-days to 5 s; returns how many rows went.
    pub async fn delete_fine(&self, days: &[VideoDay]) -> Result<u64, StoreError> {
        self.run_tx("delete_fine", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
                let fine_from = kept_days::read(tx).await?.fine_from;
                lock(tx, days).await?;
                let mut deleted = 0;
                for of_video in days.chunk_by(|a, b| a.0 == b.0) {
                    let days: Vec<NaiveDate> = of_video.iter().map(|(_, day)| *day).collect();
                    deleted += execute(tx, sql::DELETE_FINE, &[&of_video[0].0, &days]).await?;
                }
                let videos: Vec<&str> = days.iter().map(|(video_id, _)| video_id.as_str()).collect();
                execute(tx, sql::DELETE_FINE_COUNTS, &[&fine_from, &videos]).await?;
                Ok(deleted)
            }
            .scope_boxed()
        })
        .await
    }
}

/// Locks videos in every salt epoch of which they have rows between two days.
pub(super) async fn lock_days(
    tx: &Transaction<'_>,
    videos: &[String],
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<(), StoreError> {
    tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
    let rows = query(tx, sql::READ_CANONICAL_DAYS, &[&videos, &first_day, &last_day]).await?;
    lock(tx, &video_days(&rows)?).await
}

async fn lock(tx: &Transaction<'_>, days: &[VideoDay]) -> Result<(), StoreError> {
    let days: Vec<(&str, NaiveDate)> = days.iter().map(|(video_id, day)| (video_id.as_str(), *day)).collect();
    locks::lock_video_days(tx, &days).await
}

fn video_days(rows: &[Row]) -> Result<Vec<VideoDay>, StoreError> {
    rows.iter().map(|row| Ok((row.try_get("video_id")?, row.try_get("captured_on")?))).collect()
}
