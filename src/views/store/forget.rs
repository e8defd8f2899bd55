//! The removal of a video's views, or of one of its days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, Months, NaiveDate, NaiveTime};

use super::{sql, totals};
use crate::{
    events::region::GLOBAL,
    postgres::{StoreError, Tables, Transaction, execute, kept_days, query, sketches::Sketch},
    sketch::Union,
    views::fold::first_of_month,
};

/// How much of a video was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForgottenViews {
    /// Views that had counted.
    pub views: u64,
    /// Rows of recent viewers.
    pub viewers: u64,
}

/// Removes a video's views, of one day or of all, while no worker folds its lane.
pub(crate) async fn forget_in(
    tx: &Transaction<'_>,
    tables: Tables,
    video_id: &str,
    day: Option<NaiveDate>,
) -> Result<ForgottenViews, StoreError> {
    // A row of a device that is becoming its user's at this moment would be passed over, and the user's not be seen yet.
    query(tx, sql::LOCK_MERGES, &[]).await?;
    let Some(day) = day else {
        let viewers = execute(tx, sql::FORGET_RECENTS, &[&video_id]).await?;
        let rows = query(tx, sql::FORGET_VIEWS, &[&video_id]).await?;
        execute(tx, sql::FORGET_TRENDING, &[&video_id]).await?;
        return Ok(ForgottenViews { views: rows[0].try_get::<_, i64>("views")? as u64, viewers });
    };
    let begins = day.and_time(NaiveTime::MIN).and_utc();
    let viewers = execute(tx, sql::FORGET_RECENTS_OF_DAY, &[&video_id, &day, &begins]).await?;
    if totals::lock(tx, tables, &[video_id]).await? == 0 {
        return Ok(ForgottenViews { views: 0, viewers });
    }
    let mut views = 0;
    let mut epoch: Option<NaiveDate> = None;
    for row in query(tx, sql::DELETE_VIEW_DAY, &[&video_id, &day]).await? {
        epoch = Some(row.try_get("epoch")?);
        if row.try_get::<_, &str>("region")? == GLOBAL {
            views = row.try_get("views")?;
        }
    }
    let (mut lifetime, mut estimated) = (0, 0);
    if let Some(epoch) = epoch {
        rebuild_month(tx, video_id, day, epoch).await?;
        (lifetime, estimated) = rebuild_epoch(tx, video_id, epoch).await?;
    }
    let changes: (Vec<&str>, Vec<i64>, Vec<i64>) = (vec![video_id], vec![-views], vec![-(viewers as i64)]);
    execute(tx, sql::HEAL_TOTALS, &[&changes.0, &changes.1, &changes.2, &vec![lifetime], &vec![estimated]])
        .await?;
    Ok(ForgottenViews { views: views as u64, viewers })
}

/// Removes the views of a region, of one day or of all, while no worker folds the video's lane. A recent viewer belongs to the
/// region of the first view. What trends everywhere is left to fade.
pub(crate) async fn forget_region_in(
    tx: &Transaction<'_>,
    tables: Tables,
    video_id: &str,
    region: &str,
    day: Option<NaiveDate>,
) -> Result<ForgottenViews, StoreError> {
    tx.batch_execute(sql::PREPARE_VIEW_PIECES).await?;
    query(tx, sql::LOCK_MERGES, &[]).await?;
    let begins = day.map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let viewers = execute(tx, sql::FORGET_RECENTS_OF_REGION, &[&video_id, &region, &day, &begins]).await?;
    if day.is_none() {
        execute(tx, sql::FORGET_TRENDING_OF_REGION, &[&video_id, &region]).await?;
    }
    if totals::lock(tx, tables, &[video_id]).await? == 0 {
        return Ok(ForgottenViews { views: 0, viewers });
    }
    let (mut views, mut days) = (0, Vec::new());
    let (mut months, mut epochs) = (BTreeMap::new(), BTreeSet::new());
    for row in query(tx, sql::DELETE_VIEW_DAYS_OF_REGION, &[&video_id, &region, &day]).await? {
        let (day, epoch): (NaiveDate, NaiveDate) = (row.try_get("day")?, row.try_get("epoch")?);
        views += row.try_get::<_, i64>("views")?;
        days.push(day);
        months.insert((first_of_month(day), epoch), day);
        epochs.insert(epoch);
    }
    execute(tx, sql::DELETE_GLOBAL_VIEW_DAYS, &[&video_id, &days]).await?;
    execute(tx, sql::WRITE_GLOBAL_VIEW_DAYS, &[&video_id, &days]).await?;
    for ((_, epoch), day) in months {
        rebuild_month(tx, video_id, day, epoch).await?;
    }
    let (mut lifetime, mut estimated) = (0, 0);
    for epoch in epochs {
        let (viewers, epochs) = rebuild_epoch(tx, video_id, epoch).await?;
        lifetime += viewers;
        estimated += epochs;
    }
    let changes: (Vec<&str>, Vec<i64>, Vec<i64>) = (vec![video_id], vec![-views], vec![-(viewers as i64)]);
    execute(tx, sql::HEAL_TOTALS, &[&changes.0, &changes.1, &changes.2, &vec![lifetime], &vec![estimated]])
        .await?;
    Ok(ForgottenViews { views: views as u64, viewers })
}

/// Unites a month's other days anew, as nothing can be taken out of a sketch.
async fn rebuild_month(
    tx: &Transaction<'_>,
    video_id: &str,
    day: NaiveDate,
    epoch: NaiveDate,
) -> Result<(), StoreError> {
    let month = first_of_month(day);
    let last = month + Months::new(1) - Days::new(1);
    execute(tx, sql::DELETE_VIEW_MONTH, &[&video_id, &month, &epoch]).await?;
    let mut regions: BTreeMap<String, (i64, Union)> = BTreeMap::new();
    for row in query(tx, sql::READ_DAYS_OF_EPOCH, &[&video_id, &epoch, &month, &last]).await? {
        let (views, union) = regions.entry(row.try_get("region")?).or_default();
        *views += row.try_get::<_, i64>("views")?;
        union.add(row.try_get::<_, Sketch<'_>>("viewers")?.0)?;
    }
    if regions.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = regions.keys().map(String::as_str).collect();
    let views: Vec<i64> = regions.values().map(|(views, _)| *views).collect();
    let sketches: Vec<Vec<u8>> = regions.values().map(|(_, union)| union.encode()).collect();
    let rows = names.len();
    execute(
        tx,
        sql::WRITE_MONTHS,
        &[&vec![video_id; rows], &names, &vec![month; rows], &vec![epoch; rows], &views, &sketches],
    )
    .await?;
    Ok(())
}

/// Unites an epoch's other days anew, unless some of them are not kept any more: then the sketch is all that is left of them.
/// Returns what has to be added to lifetime viewers and to the estimated epochs.
async fn rebuild_epoch(
    tx: &Transaction<'_>,
    video_id: &str,
    epoch: NaiveDate,
) -> Result<(i64, i32), StoreError> {
    if epoch < kept_days::read(tx).await?.kept_from {
        return Ok((0, 0));
    }
    let mut before = Union::default();
    for row in query(tx, sql::READ_EPOCHS, &[&vec![video_id], &vec![epoch]]).await? {
        before.add(row.try_get::<_, Sketch<'_>>("viewers")?.0)?;
    }
    let last = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a day of the calendar");
    let (mut after, mut days) = (Union::default(), 0);
    for row in query(tx, sql::READ_DAYS_OF_EPOCH, &[&video_id, &epoch, &epoch, &last]).await? {
        if row.try_get::<_, &str>("region")? == GLOBAL {
            after.add(row.try_get::<_, Sketch<'_>>("viewers")?.0)?;
            days += 1;
        }
    }
    match days {
        0 => execute(tx, sql::DELETE_VIEW_EPOCH, &[&video_id, &epoch]).await?,
        _ => execute(tx, sql::WRITE_EPOCHS, &[&vec![video_id], &vec![epoch], &vec![after.encode()]]).await?,
    };
    let viewers = after.cardinality() as i64 - before.cardinality() as i64;
    Ok((viewers, i32::from(!after.is_exact()) - i32::from(!before.is_exact())))
}
