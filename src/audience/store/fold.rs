//! What a step of the worker adds to the sample, in its transaction.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{SampleSettings, seal, settings, sql};
use crate::{
    audience::sample::{Addition, Threshold, additions, encode, join, thin_grown, viewers},
    events::hashed::HashedHeartbeat,
    postgres::{Store, StoreError, Transaction, execute, query},
};

/// A video-day with this many heartbeats in a step is likely to have a threshold, and it pays to ask for it first: what is
/// out then is neither sorted nor written.
const CROWDED: usize = 64;
/// Bytes that may be open in a row before they are sealed. Below the two kilobytes from which on Postgres would move them
/// out of the row.
const MAX_OPEN_BYTES: i32 = 1_536;

impl Store {
    /// Makes sure that the samples of these days have partitions to go to, in a short transaction of its own.
    async fn ensure_sample_partitions(&self, days: &BTreeSet<NaiveDate>) -> Result<(), StoreError> {
        let days: &Vec<NaiveDate> = &days.iter().copied().collect();
        self.run_tx("ensure_sample_partitions", |tx| {
            async move { query(tx, sql::ENSURE_SAMPLE_PARTITIONS, &[days]).await }.scope_boxed()
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
    let SampleSettings { size, kept_from } = settings(tx).await?;
    let days: BTreeSet<NaiveDate> =
        heartbeats.iter().map(|heartbeat| heartbeat.captured_on).filter(|day| *day >= kept_from).collect();
    let Some(last_day) = days.last() else { return Ok(()) };
    if size == 0 {
        // A day of which a part is not sampled has no sample, and none before it is kept either.
        if let Some(next) = last_day.succ_opt() {
            execute(tx, sql::ADVANCE_SAMPLE, &[&next]).await?;
        }
        return Ok(());
    }
    store.ensure_sample_partitions(&days).await?;
    let mut added = additions(heartbeats, kept_from);
    let thresholds = thresholds(tx, &added).await?;
    let mut rows = Rows::default();
    for Addition { video_id, captured_on, watches } in &mut added {
        let threshold =
            thresholds.get(&((*video_id).to_owned(), *captured_on)).copied().unwrap_or(Threshold::NOBODY_OUT);
        watches.retain(|watch| threshold.keeps(watch.element));
        if watches.is_empty() {
            continue;
        }
        join(watches);
        let threshold = threshold.lower(thin_grown(watches, size));
        rows.video_ids.push(*video_id);
        rows.days.push(*captured_on);
        rows.viewers.push(viewers(watches) as i32);
        rows.thresholds.push(threshold.to_column());
        rows.watches.push(encode(watches));
    }
    let grown = rows.append(tx, size).await?;
    crash_point!("audience::appended");
    seal::seal_grown(tx, &grown, size).await?;
    if !grown.is_empty() {
        crash_point!("audience::grown");
    }
    Ok(())
}

/// Returns the thresholds of the video-days to which many heartbeats are added, where they have one.
async fn thresholds(
    tx: &Transaction<'_>,
    added: &[Addition<'_>],
) -> Result<HashMap<(String, NaiveDate), Threshold>, StoreError> {
    let crowded = added.iter().filter(|addition| addition.watches.len() >= CROWDED);
    let (videos, days): (Vec<&str>, Vec<NaiveDate>) =
        crowded.map(|addition| (addition.video_id, addition.captured_on)).unzip();
    if videos.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = query(tx, sql::READ_THRESHOLDS, &[&videos, &days]).await?;
    let threshold = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
        let video_day = (row.try_get("video_id")?, row.try_get("captured_on")?);
        Ok((video_day, Threshold::from_column(row.try_get("threshold")?)))
    };
    rows.iter().map(threshold).collect()
}

/// What is appended, a column a vector.
#[derive(Default)]
struct Rows<'a> {
    video_ids: Vec<&'a str>,
    days: Vec<NaiveDate>,
    viewers: Vec<i32>,
    thresholds: Vec<Option<i64>>,
    watches: Vec<Vec<u8>>,
}

impl Rows<'_> {
    /// Appends them; returns the video-days that have grown so that they have to be sealed.
    async fn append(
        &self,
        tx: &Transaction<'_>,
        size: usize,
    ) -> Result<Vec<(String, NaiveDate)>, StoreError> {
        if self.video_ids.is_empty() {
            return Ok(Vec::new());
        }
        let most_viewers = seal::most_viewers(size);
        let parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[
            &self.video_ids,
            &self.days,
            &self.viewers,
            &self.thresholds,
            &self.watches,
            &most_viewers,
            &MAX_OPEN_BYTES,
        ];
        let rows = query(tx, sql::APPEND_WATCHES, parameters).await?;
        rows.iter().map(|row| Ok((row.try_get("video_id")?, row.try_get("captured_on")?))).collect()
    }
}
