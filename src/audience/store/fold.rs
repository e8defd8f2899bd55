//! Adds the heartbeats of a worker's step to the sample, in the transaction of the step.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::types::ToSql;

use super::{
    SampleSettings, Settings,
    seal::{self, Sealed, Thin},
    settings, sql,
};
use crate::{
    audience::sample::{Addition, additions, encode, join, thin_grown, viewers},
    events::hashed::HashedHeartbeat,
    postgres::{Store, StoreError, Tables, Transaction, execute, query},
};

/// To a video-day with this many heartbeats in a step the stretches are not appended, but joined with what is there: they
/// would soon have to be sealed, and where many watch there is a threshold, so that most of them are out.
const CROWDED: usize = 16;
/// Bytes that may be open in a row before they are sealed: some fifty heartbeats, of which those of one viewer join then.
/// Far below the two kilobytes from which on Postgres would move them out of the row.
const MAX_OPEN_BYTES: i32 = 768;

impl Store {
    /// Makes sure that the samples of these days have partitions to go to, in a short transaction of its own.
    async fn ensure_sample_partitions(&self, days: &[NaiveDate]) -> Result<(), StoreError> {
        self.run_tx("ensure_sample_partitions", |tx| {
            async move { query(tx, sql::ENSURE_SAMPLE_PARTITIONS, &[&days]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }
}

/// Adds heartbeats to the samples of their video-days, in the transaction that folds them.
pub(crate) async fn fold_in(
    store: &Store,
    tx: &Transaction<'_>,
    heartbeats: &[HashedHeartbeat<'_>],
) -> Result<(), StoreError> {
    let mut days: Vec<NaiveDate> = heartbeats.iter().map(|heartbeat| heartbeat.captured_on).collect();
    days.sort_unstable();
    days.dedup();
    // One look for both, and mostly the only one: a partition is there from a day's first step on.
    let Settings { sample: SampleSettings { size, kept_from }, noted_to, mut missing_days } =
        settings(tx, &days).await?;
    let Some(last_day) = days.last().filter(|day| **day >= kept_from) else { return Ok(()) };
    if size == 0 {
        // A day of which a part is not sampled has no sample, and none before it is kept either.
        if let Some(next) = last_day.succ_opt() {
            execute(tx, sql::ADVANCE_SAMPLE, &[&next]).await?;
        }
        return Ok(());
    }
    missing_days.retain(|day| *day >= kept_from);
    if !missing_days.is_empty() {
        store.ensure_sample_partitions(&missing_days).await?;
    }
    let noted: Vec<NaiveDate> = days.into_iter().filter(|day| (kept_from..noted_to).contains(day)).collect();
    if !noted.is_empty() {
        execute(tx, sql::NOTE_DAYS, &[&noted]).await?;
    }
    let mut added = additions(heartbeats, kept_from);
    let tables = store.tables();
    seal_crowded(tx, tables, &mut added, size).await?;
    let grown = append(tx, &mut added, size).await?;
    crash_point!("audience::appended");
    seal::seal_grown(tx, tables, &grown, size).await?;
    if !grown.is_empty() {
        crash_point!("audience::grown");
    }
    Ok(())
}

/// Joins what comes to the rows to which much comes, where they are there; takes it out of what is to be added.
async fn seal_crowded(
    tx: &Transaction<'_>,
    tables: Tables,
    added: &mut Vec<Addition<'_>>,
    size: usize,
) -> Result<(), StoreError> {
    let crowded = added.iter().filter(|addition| addition.watches.len() >= CROWDED);
    let video_days: Vec<(&str, NaiveDate)> =
        crowded.map(|addition| (addition.video_id, addition.captured_on)).collect();
    for video_days in video_days.chunks(seal::MAX_SEALED) {
        let (videos, days): (Vec<&str>, Vec<NaiveDate>) = video_days.iter().copied().unzip();
        let rows = seal::lock(tx, tables, &videos, &days).await?;
        let mut sealed = Sealed::default();
        for row in &rows {
            let key: (&str, NaiveDate) = (row.try_get("video_id")?, row.try_get("captured_on")?);
            let place =
                added.binary_search_by_key(&key, |addition| (addition.video_id, addition.captured_on));
            let Ok(place) = place else { continue };
            sealed.push(row, std::mem::take(&mut added[place].watches), size, Thin::Grown)?;
        }
        sealed.write(tx, tables).await?;
        if !rows.is_empty() {
            crash_point!("audience::joined");
        }
    }
    added.retain(|addition| !addition.watches.is_empty());
    Ok(())
}

/// Appends to the other rows; returns the video-days that have grown so that they have to be sealed.
async fn append(
    tx: &Transaction<'_>,
    added: &mut [Addition<'_>],
    size: usize,
) -> Result<Vec<(String, NaiveDate)>, StoreError> {
    let (mut videos, mut days, mut counts): (Vec<&str>, Vec<NaiveDate>, Vec<i32>) = Default::default();
    let (mut thresholds, mut values): (Vec<Option<i64>>, Vec<Vec<u8>>) = Default::default();
    for Addition { video_id, captured_on, watches } in &mut *added {
        join(watches);
        thresholds.push(thin_grown(watches, size).to_column());
        videos.push(*video_id);
        days.push(*captured_on);
        counts.push(viewers(watches) as i32);
        values.push(encode(watches));
    }
    if videos.is_empty() {
        return Ok(Vec::new());
    }
    let most_viewers = seal::most_viewers(size);
    let parameters: &[&(dyn ToSql + Sync)] =
        &[&videos, &days, &counts, &thresholds, &values, &most_viewers, &MAX_OPEN_BYTES];
    let mut grown = Vec::new();
    for row in query(tx, sql::APPEND_WATCHES, parameters).await? {
        let key: (&str, NaiveDate) = (row.try_get("video_id")?, row.try_get("captured_on")?);
        let added = added.binary_search_by_key(&key, |addition| (addition.video_id, addition.captured_on));
        let total: i32 = row.try_get("viewers")?;
        // A row that holds nothing but what was just added is joined already.
        if added.is_ok_and(|place| counts[place] < total) {
            grown.push((key.0.to_owned(), key.1));
        }
    }
    Ok(grown)
}
