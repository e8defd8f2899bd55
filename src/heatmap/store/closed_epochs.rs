//! Table `video_heatmap_counts`: the estimates of the canonical rows of closed salt epochs.

use std::{collections::HashSet, pin::pin};

use chrono::NaiveDate;
use futures_util::TryStreamExt;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::{Row, types::ToSql};

use super::{locks, sql};
use crate::heatmap::{
    epoch_counts::{Counted, EpochCounts},
    level::LEVELS,
    strip::BucketRow,
};
use crate::postgres::{
    Store, StoreError, Transaction, execute, kept_days, query, query_stream, sketches::Sketch,
};

/// The first and the last day of a salt epoch.
pub type EpochDays = (NaiveDate, NaiveDate);

impl Store {
    /// The salt epochs that are over before `today` and ended on `since` or later.
    pub async fn closed_epochs(
        &self,
        today: NaiveDate,
        since: NaiveDate,
    ) -> Result<Vec<EpochDays>, StoreError> {
        self.run_tx("read_closed_epochs", |tx| {
            async move { epoch_days(&query(tx, sql::READ_CLOSED_EPOCHS, &[&today, &since]).await?) }
                .scope_boxed()
        })
        .await
    }

    /// Counts an epoch of the next videos behind `behind`, up to `max_videos`, that have spread blocks and are not counted
    /// yet, as far as nothing of them is in another form; returns the last of them, none when there are no more.
    pub async fn count_epoch(
        &self,
        (first_day, last_day): EpochDays,
        behind: &str,
        max_videos: u64,
    ) -> Result<Option<String>, StoreError> {
        let max_videos = max_videos as i64;
        self.run_tx("count_epoch", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
                let parameters: &[&(dyn ToSql + Sync)] = &[&first_day, &last_day, &behind, &max_videos];
                let rows = query(tx, sql::READ_SPREAD_VIDEOS, parameters).await?;
                let mut videos: Vec<String> =
                    rows.iter().map(|row| row.try_get("video_id")).collect::<Result<_, _>>()?;
                let locked: Vec<(&str, NaiveDate)> =
                    videos.iter().map(|video_id| (video_id.as_str(), first_day)).collect();
                locks::lock_videos(tx, &locked).await?;
                // Nobody makes canonical rows of them from here on, and what is appended to the shards is seen by reads.
                let rows = query(tx, sql::READ_UNSPREAD_VIDEOS, &[&first_day, &last_day, &videos]).await?;
                let unspread: HashSet<String> =
                    rows.iter().map(|row| row.try_get("video_id")).collect::<Result<_, _>>()?;
                for video_id in videos.iter().filter(|video_id| !unspread.contains(*video_id)) {
                    count_video(tx, video_id, (first_day, last_day)).await?;
                }
                Ok(videos.pop())
            }
            .scope_boxed()
        })
        .await
    }
}

/// Counts an epoch of a video whose canonical rows are all seconds: every region and every level of it.
async fn count_video(tx: &Transaction<'_>, video_id: &str, epoch: EpochDays) -> Result<(), StoreError> {
    let (first_day, last_day) = epoch;
    let fine_from = kept_days::read(tx).await?.fine_from;
    let rows = query(tx, sql::READ_EPOCH_REGIONS, &[&first_day, &last_day, &video_id]).await?;
    for row in &rows {
        let region: &str = row.try_get("region")?;
        for level in LEVELS {
            // Thinned days have no seconds, and nobody may ask for them.
            if level > 1 || first_day >= fine_from {
                count_level(tx, video_id, region, level, epoch).await?;
            }
        }
    }
    Ok(())
}

async fn count_level(
    tx: &Transaction<'_>,
    video_id: &str,
    region: &str,
    level: i32,
    (first_day, last_day): EpochDays,
) -> Result<(), StoreError> {
    let mut counts = EpochCounts::default();
    let parameters: &[&(dyn ToSql + Sync)] = &[&first_day, &last_day, &video_id, &region, &level];
    {
        let mut rows = pin!(query_stream(tx, sql::READ_EPOCH, parameters).await?);
        while let Some(row) = rows.try_next().await? {
            let Sketch(viewers) = row.try_get("viewers")?;
            counts.add(row.try_get("bucket")?, row.try_get("last_sec")?, row.try_get("plays")?, viewers)?;
        }
    }
    let Counted { last_sec, exact, bucket, viewers, reached, plays } = counts.finish();
    if bucket.is_empty() {
        return Ok(());
    }
    let level = level as i16;
    let parameters: &[&(dyn ToSql + Sync)] = &[
        &video_id, &region, &level, &first_day, &last_day, &last_sec, &exact, &bucket, &viewers, &reached,
        &plays,
    ];
    execute(tx, sql::INSERT_COUNTS, parameters).await?;
    Ok(())
}

/// Forgets the counts of epochs whose canonical rows of a day change.
pub(crate) async fn delete(
    tx: &Transaction<'_>,
    day: NaiveDate,
    videos: &[String],
) -> Result<(), StoreError> {
    execute(tx, sql::DELETE_COUNTS, &[&day, &videos]).await?;
    Ok(())
}

/// A question that counts may answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Countable<'a> {
    pub(super) video_id: &'a str,
    /// `GLOBAL` or one region: counts of several do not add up to their union.
    pub(super) region: &'a str,
    /// The resolution is a level: counts of small buckets do not add up to large ones.
    pub(super) level: u32,
}

/// The epochs between `bounds` whose counts stand for their rows of the days from `read.0` to `read.1`.
pub(super) async fn counted_epochs(
    tx: &Transaction<'_>,
    asked: Countable<'_>,
    bounds: EpochDays,
    read: EpochDays,
) -> Result<Vec<EpochDays>, StoreError> {
    let level = asked.level as i16;
    let rows = query(
        tx,
        sql::READ_COUNTED_EPOCHS,
        &[&asked.video_id, &asked.region, &level, &bounds.0, &bounds.1, &read.0, &read.1],
    )
    .await?;
    epoch_days(&rows)
}

/// Returns what is left to read of a range: its first and last day and the counted ones between them, or nothing if all is
/// counted.
pub(super) fn uncounted(read: EpochDays, counted: &[EpochDays]) -> Option<(EpochDays, Vec<NaiveDate>)> {
    let is_counted = |day: &NaiveDate| counted.iter().any(|(first, last)| (first..=last).contains(&day));
    let days = || read.0.iter_days().take_while(|day| *day <= read.1);
    let first = days().find(|day| !is_counted(day))?;
    let last = days().filter(|day| !is_counted(day)).last()?;
    Some(((first, last), days().filter(|day| (first..=last).contains(day) && is_counted(day)).collect()))
}

/// The buckets of counted epochs, by epoch and bucket ascending.
pub(super) async fn read_counts(
    tx: &Transaction<'_>,
    asked: Countable<'_>,
    counted: &[EpochDays],
    epoch_first_days: &[NaiveDate],
) -> Result<Vec<BucketRow>, StoreError> {
    let first_days: Vec<NaiveDate> = counted.iter().map(|(first_day, _)| *first_day).collect();
    let level = asked.level as i16;
    let rows = query(
        tx,
        sql::READ_COUNTS,
        &[&asked.video_id, &asked.region, &level, &first_days, &epoch_first_days],
    )
    .await?;
    rows.iter().map(bucket_row).collect()
}

fn epoch_days(rows: &[Row]) -> Result<Vec<EpochDays>, StoreError> {
    rows.iter().map(|row| Ok((row.try_get("first_day")?, row.try_get("last_day")?))).collect()
}

fn bucket_row(row: &Row) -> Result<BucketRow, StoreError> {
    Ok(BucketRow {
        epoch: row.try_get::<_, i32>("epoch")? as usize,
        bucket: row.try_get::<_, i32>("bucket")? as u32,
        viewers: row.try_get::<_, i64>("viewers")? as u64,
        reached: row.try_get::<_, i64>("reached")? as u64,
        seconds_played: row.try_get::<_, i64>("seconds_played")? as u64,
        last_sec: row.try_get::<_, i32>("last_sec")? as u32,
        exact: row.try_get("exact")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, n).expect("a day of November")
    }

    #[test]
    fn what_is_left_to_read() {
        let read = (day(1), day(9));
        assert_eq!(uncounted(read, &[]), Some((read, vec![])));
        assert_eq!(uncounted(read, &[(day(1), day(7))]), Some(((day(8), day(9)), vec![])));
        assert_eq!(
            uncounted(read, &[(day(2), day(3)), (day(8), day(9))]),
            Some(((day(1), day(7)), vec![day(2), day(3)]))
        );
        assert_eq!(uncounted(read, &[(day(1), day(9))]), None);
        assert_eq!(uncounted((day(2), day(1)), &[]), None);
    }
}
