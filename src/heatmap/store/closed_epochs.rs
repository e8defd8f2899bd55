//! Table `video_heatmap_counts`: the estimates of the canonical rows of closed salt epochs.

use std::{collections::BTreeSet, pin::pin};

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
    Store, StoreError, Tables, Transaction, execute, kept_days, query, query_stream, sketches::Sketch,
};
use crate::viewers::{epoch::Rotation, store::epochs_of_days};

/// The first and the last day of a salt epoch.
pub type EpochDays = (NaiveDate, NaiveDate);

/// A note that a spread block of a video has changed on a day.
pub type Noted = (NaiveDate, String);

impl Store {
    /// Returns the salt epochs that are over before `today` and of which something has changed since they were counted.
    pub async fn uncounted_epochs(&self, today: NaiveDate) -> Result<Vec<EpochDays>, StoreError> {
        self.run_tx("read_closed_epochs", |tx| {
            async move {
                let statement =
                    self.tables().form(sql::READ_UNCOUNTED_DAYS, sql::READ_UNCOUNTED_DAYS_DISTRIBUTED);
                let rows = query(tx, statement, &[&today]).await?;
                let days: Vec<NaiveDate> =
                    rows.iter().map(|row| row.try_get("captured_on")).collect::<Result<_, _>>()?;
                let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
                let rows = query(tx, sql::READ_CLOSED_EPOCHS, &[&today, first, last]).await?;
                let mut epochs = epoch_days(&rows)?;
                epochs.retain(|(first, last)| days.iter().any(|day| (first..=last).contains(&day)));
                Ok(epochs)
            }
            .scope_boxed()
        })
        .await
    }

    /// Returns the notes of an epoch behind one of them, up to `max_notes`.
    pub async fn uncounted_videos(
        &self,
        (first_day, last_day): EpochDays,
        behind: &Noted,
        max_notes: u64,
    ) -> Result<Vec<Noted>, StoreError> {
        let max_notes = max_notes as i64;
        self.run_tx("read_uncounted_videos", |tx| {
            async move {
                let parameters: &[&(dyn ToSql + Sync)] =
                    &[&first_day, &last_day, &behind.0, &behind.1, &max_notes];
                let rows = query(tx, sql::READ_UNCOUNTED_VIDEOS, parameters).await?;
                rows.iter().map(|row| Ok((row.try_get("captured_on")?, row.try_get("video_id")?))).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Counts an epoch of a video, every region and every level, unless something of it is in another form than seconds.
    ///
    /// It counts without a lock and writes under one, if nothing has changed meanwhile; if something has, the next night
    /// counts it.
    pub async fn count_video(&self, video_id: &str, epoch: EpochDays) -> Result<(), StoreError> {
        let asked = |region: &str| Asked { video_id: video_id.to_owned(), region: region.to_owned(), epoch };
        let noted =
            self.run_read(sql::PREPARE_NIGHTLY, |tx| changes(tx, video_id, epoch).scope_boxed()).await?;
        if noted == 0 {
            return Ok(());
        }
        let (regions, fine_from) = self
            .run_read(sql::PREPARE_NIGHTLY, |tx| {
                async move {
                    let fine_from = kept_days::read(tx).await?.fine_from;
                    let (first_day, last_day) = epoch;
                    let mut regions: Vec<String> = Vec::new();
                    if !is_unspread(tx, video_id, epoch).await? {
                        for row in
                            query(tx, sql::READ_EPOCH_REGIONS, &[&first_day, &last_day, &video_id]).await?
                        {
                            regions.push(row.try_get("region")?);
                        }
                    }
                    Ok::<_, StoreError>((regions, fine_from))
                }
                .scope_boxed()
            })
            .await?;
        for region in &regions {
            let asked = &asked(region);
            for level in LEVELS {
                // Of thinned days there are no seconds, and nobody may ask for them.
                if level == 1 && epoch.0 < fine_from {
                    continue;
                }
                let counted = &self
                    .run_read(sql::PREPARE_NIGHTLY, |tx| count_level(tx, asked, level).scope_boxed())
                    .await?;
                let kept = self.run_tx("keep_counts", |tx| {
                    keep(tx, self.tables(), asked, level, counted, noted).scope_boxed()
                });
                if !kept.await? {
                    return Ok(());
                }
            }
        }
        self.run_tx("delete_uncounted", |tx| {
            async move {
                locks::lock_videos(tx, &[(video_id, epoch.0)]).await?;
                locks::lock_on_node(tx, self.tables(), video_id).await?;
                if changes(tx, video_id, epoch).await? == noted {
                    execute(tx, sql::DELETE_UNCOUNTED, &[&epoch.0, &epoch.1, &video_id]).await?;
                }
                Ok(())
            }
            .scope_boxed()
        })
        .await
    }
}

/// A region of a video in an epoch.
struct Asked {
    video_id: String,
    region: String,
    epoch: EpochDays,
}

/// A number that is another one once a spread block of the video has changed in the epoch.
async fn changes(tx: &Transaction<'_>, video_id: &str, epoch: EpochDays) -> Result<i64, StoreError> {
    Ok(query(tx, sql::READ_UNCOUNTED, &[&epoch.0, &epoch.1, &video_id]).await?[0].try_get("changes")?)
}

/// True if something of the video is in another form than seconds.
async fn is_unspread(tx: &Transaction<'_>, video_id: &str, epoch: EpochDays) -> Result<bool, StoreError> {
    let videos = vec![video_id];
    Ok(!query(tx, sql::READ_UNSPREAD_VIDEOS, &[&epoch.0, &epoch.1, &videos]).await?.is_empty())
}

async fn count_level(tx: &Transaction<'_>, asked: &Asked, level: i32) -> Result<Counted, StoreError> {
    let Asked { video_id, region, epoch: (first_day, last_day) } = asked;
    let mut counts = EpochCounts::default();
    let parameters: &[&(dyn ToSql + Sync)] = &[first_day, last_day, video_id, region, &level];
    let mut rows = pin!(query_stream(tx, sql::READ_EPOCH, parameters).await?);
    while let Some(row) = rows.try_next().await? {
        let Sketch(viewers) = row.try_get("viewers")?;
        counts.add(row.try_get("bucket")?, row.try_get("last_sec")?, row.try_get("plays")?, viewers)?;
    }
    Ok(counts.finish())
}

/// Keeps what was counted unless something has changed since; returns whether nothing has.
async fn keep(
    tx: &Transaction<'_>,
    tables: Tables,
    asked: &Asked,
    level: i32,
    counted: &Counted,
    noted: i64,
) -> Result<bool, StoreError> {
    let Asked { video_id, region, epoch } = asked;
    tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
    locks::lock_videos(tx, &[(video_id, epoch.0)]).await?;
    locks::lock_on_node(tx, tables, video_id).await?;
    // Nobody makes canonical rows of it from here on, and what is appended to the shards is seen by reads.
    if changes(tx, video_id, *epoch).await? != noted || is_unspread(tx, video_id, *epoch).await? {
        return Ok(false);
    }
    let Counted { last_sec, exact, bucket, viewers, reached, plays } = counted;
    if bucket.is_empty() {
        return Ok(true);
    }
    let level = level as i16;
    let parameters: &[&(dyn ToSql + Sync)] =
        &[video_id, region, &level, &epoch.0, &epoch.1, last_sec, exact, bucket, viewers, reached, plays];
    execute(tx, sql::INSERT_COUNTS, parameters).await?;
    Ok(true)
}

/// Notes that spread blocks of these videos, which are locked, change on a day, so that the night counts their epoch once it
/// is over. An epoch that never ends is not counted.
pub(crate) async fn note(
    tx: &Transaction<'_>,
    day: NaiveDate,
    videos: &BTreeSet<&str>,
) -> Result<(), StoreError> {
    let (endless, _) = Rotation::Never.span(day);
    if videos.is_empty() || epochs_of_days(tx, &[day]).await?.get(&day) == Some(&endless) {
        return Ok(());
    }
    let videos: Vec<&str> = videos.iter().copied().collect();
    execute(tx, sql::NOTE_UNCOUNTED, &[&day, &videos]).await?;
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
    /// The last second of the video: counts of epochs with later ones cannot be trimmed.
    pub(super) last_sec: i32,
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
        &[&asked.video_id, &asked.region, &level, &bounds.0, &bounds.1, &read.0, &read.1, &asked.last_sec],
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
