//! Sealing: what is open in a row, and what comes to it, is joined with what is sealed, and thinned where it has grown.

use chrono::NaiveDate;
use tokio_postgres::Row;

use super::sql;
use crate::{
    audience::sample::{Threshold, Unreadable, Watch, decode, encode, join, thin, thin_grown, viewers},
    postgres::{StoreError, Tables, Transaction, execute, query},
};

/// Rows sealed together: the largest have a hundred kilobytes.
pub(super) const MAX_SEALED: usize = 100;

/// Returns how many viewers a row may say it has before it is sealed. The number is an upper bound, as who comes again is
/// counted again; a sample that was just sealed has at most twice its size.
pub(super) fn most_viewers(size: usize) -> i32 {
    i32::try_from(size * 5 / 2).unwrap_or(i32::MAX)
}

/// How far a sample is thinned when it is sealed.
#[derive(Clone, Copy)]
pub(super) enum Thin {
    /// Once it has grown to more than twice its size, as its day is open.
    Grown,
    /// To its size, as its day is closed.
    Wholly,
}

/// Locks the rows of video-days for the fold, and returns those that are there.
pub(super) async fn lock(
    tx: &Transaction<'_>,
    tables: Tables,
    videos: &[&str],
    days: &[NaiveDate],
) -> Result<Vec<Row>, StoreError> {
    query(tx, tables.form(sql::LOCK_WATCHES, sql::LOCK_WATCHES_DISTRIBUTED), &[&videos, &days]).await
}

/// Seals rows that have grown and are locked.
pub(super) async fn seal_grown(
    tx: &Transaction<'_>,
    tables: Tables,
    grown: &[(String, NaiveDate)],
    size: usize,
) -> Result<(), StoreError> {
    for grown in grown.chunks(MAX_SEALED) {
        let videos: Vec<&str> = grown.iter().map(|(video_id, _)| video_id.as_str()).collect();
        let days: Vec<NaiveDate> = grown.iter().map(|(_, day)| *day).collect();
        let rows = lock(tx, tables, &videos, &days).await?;
        seal(tx, tables, &rows, size, Thin::Grown).await?;
    }
    Ok(())
}

/// Seals rows that are locked.
pub(super) async fn seal(
    tx: &Transaction<'_>,
    tables: Tables,
    rows: &[Row],
    size: usize,
    how: Thin,
) -> Result<(), StoreError> {
    let mut sealed = Sealed::default();
    for row in rows {
        sealed.push(row, Vec::new(), size, how)?;
    }
    sealed.write(tx, tables).await
}

/// Sealed rows that are not written yet, a column a vector.
#[derive(Default)]
pub(super) struct Sealed<'a> {
    videos: Vec<&'a str>,
    days: Vec<NaiveDate>,
    viewers: Vec<i32>,
    thresholds: Vec<Option<i64>>,
    values: Vec<Vec<u8>>,
}

impl<'a> Sealed<'a> {
    /// Seals a row with the stretches that come to it.
    pub(super) fn push<'w>(
        &mut self,
        row: &'a Row,
        mut watches: Vec<Watch<'w>>,
        size: usize,
        how: Thin,
    ) -> Result<(), StoreError>
    where
        'a: 'w,
    {
        let mut threshold = Threshold::from_column(row.try_get("threshold")?);
        watches.retain(|watch| threshold.keeps(watch.element));
        for bytes in [row.try_get::<_, Option<&[u8]>>("sealed")?, row.try_get("open")?].into_iter().flatten()
        {
            decode(bytes, |element| threshold.keeps(element), &mut watches).map_err(unreadable)?;
        }
        join(&mut watches);
        threshold = threshold.lower(match how {
            Thin::Grown => thin_grown(&mut watches, size),
            Thin::Wholly => thin(&mut watches, size),
        });
        self.videos.push(row.try_get("video_id")?);
        self.days.push(row.try_get("captured_on")?);
        self.viewers.push(viewers(&watches) as i32);
        self.thresholds.push(threshold.to_column());
        self.values.push(encode(&watches));
        Ok(())
    }

    /// Writes them; the rows are locked.
    pub(super) async fn write(&self, tx: &Transaction<'_>, tables: Tables) -> Result<(), StoreError> {
        if !self.videos.is_empty() {
            let Sealed { videos, days, viewers, thresholds, values } = self;
            let statement = tables.form(sql::SEAL_WATCHES, sql::SEAL_WATCHES_DISTRIBUTED);
            execute(tx, statement, &[videos, days, viewers, thresholds, values]).await?;
        }
        Ok(())
    }
}

/// A row that something else wrote.
pub(super) fn unreadable(error: Unreadable) -> StoreError {
    StoreError::Refused(format!("a row of sampled_watches is {error}"))
}
