//! The removal of a video, or of a part of it, from the sample.

use chrono::NaiveDate;

use super::{seal::unreadable, sql};
use crate::{
    audience::sample::{Threshold, decode, encode, join, viewers},
    events::part::Part,
    postgres::{StoreError, Tables, Transaction, execute, query},
};

/// Removes a video's sample of these days; returns how many rows went. The lane of the video is locked, so that no fold
/// brings a row back.
pub(crate) async fn forget_in(
    tx: &Transaction<'_>,
    video_id: &str,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<u64, StoreError> {
    execute(tx, sql::FORGET_WATCHES, &[&video_id, &first_day, &last_day]).await
}

/// Takes a part out of the sample of a video-day, whose lane is locked; returns how many rows changed.
///
/// The threshold stays: whoever was thinned is out for good, also those whom the part would have left. So who is left is the
/// sample of the rest.
pub(crate) async fn cut_in(
    tx: &Transaction<'_>,
    tables: Tables,
    video_id: &str,
    day: NaiveDate,
    part: &Part,
) -> Result<u64, StoreError> {
    let rows = match tables {
        Tables::Local => query(tx, sql::LOCK_WATCHES, &[&vec![video_id], &vec![day]]).await?,
        Tables::Distributed => query(tx, sql::LOCK_WATCH_DISTRIBUTED, &[&video_id, &day]).await?,
    };
    let Some(row) = rows.first() else { return Ok(0) };
    let threshold = Threshold::from_column(row.try_get("threshold")?);
    let mut watches = Vec::new();
    for bytes in [row.try_get::<_, Option<&[u8]>>("sealed")?, row.try_get("open")?].into_iter().flatten() {
        decode(bytes, |element| threshold.keeps(element), &mut watches).map_err(unreadable)?;
    }
    let mut changed = false;
    watches.retain_mut(|watch| {
        let left = part.leaves_of(watch.region, watch.start_sec, watch.end_sec);
        changed |= left != Some(watch.end_sec);
        watch.end_sec = left.unwrap_or(watch.end_sec);
        left.is_some()
    });
    if !changed {
        return Ok(0);
    }
    if watches.is_empty() && threshold.keeps_all() {
        return forget_in(tx, video_id, day, day).await;
    }
    join(&mut watches);
    let (viewers, value) = (viewers(&watches) as i32, encode(&watches));
    let threshold = threshold.to_column();
    execute(
        tx,
        tables.form(sql::SEAL_WATCHES, sql::SEAL_WATCHES_DISTRIBUTED),
        &[&vec![video_id], &vec![day], &vec![viewers], &vec![threshold], &vec![value]],
    )
    .await
}
