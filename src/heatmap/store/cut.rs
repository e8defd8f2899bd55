//! The removal of a part of a video-day: of a region, of the seconds behind the video's end, or of both.
//!
//! Nothing can be taken out of a sketch. So rows that hold nothing else go, runs are cut where the part begins, and what is
//! united of several rows (`GLOBAL`, coarser levels, whole videos, bounds) is united anew from what is left.

use chrono::{Datelike, Days, Months, NaiveDate};
use scoped_futures::ScopedFutureExt;
use tokio_postgres::types::ToSql;

use super::{closed_epochs, forget::ForgottenRows, kept_days::lock_days, locks::lock_on_node, sql};
use crate::{
    events::{part::Part, region::Region},
    heatmap::BLOCK_SECS,
    postgres::{Store, StoreError, Tables, Transaction, execute, kept_days, query},
};

/// Lets the process die here as `kill -9` does, if a test says so.
macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}

/// The first seconds that are taken out of the rows of a spread block, level by level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    /// The first second of the rows of seconds that goes.
    first_sec: i32,
    /// The first bucket of 5 s that goes or is written anew.
    five: i32,
    /// True if some of its seconds stay.
    cuts_five: bool,
    /// The last second of a bucket of 5 s that stays.
    last_of_fives: i32,
    /// The first bucket of 60 s that goes or is written anew.
    sixty: i32,
    /// True if some of its seconds stay.
    cuts_sixty: bool,
}

impl Cut {
    /// Cuts behind a second. Of a day that is not kept by the second nobody knows what of a bucket was watched before the
    /// cut: all of it stays.
    fn behind(last_kept_sec: i32, is_fine: bool) -> Self {
        let first_sec = last_kept_sec + 1;
        let five = if is_fine { first_sec / 5 * 5 } else { (first_sec + 4) / 5 * 5 };
        let first_left_out = if is_fine { first_sec } else { five };
        let sixty = first_left_out / 60 * 60;
        Cut {
            first_sec,
            five,
            cuts_five: five < first_sec,
            last_of_fives: first_left_out - 1,
            sixty,
            cuts_sixty: sixty < first_left_out,
        }
    }
}

impl Store {
    /// Returns the days between two on which a video has rows of the heatmap, ascending.
    pub async fn heatmap_days(
        &self,
        video_id: &str,
        first_day: NaiveDate,
        last_day: NaiveDate,
    ) -> Result<Vec<NaiveDate>, StoreError> {
        self.run_tx("read_canonical_days", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
                let rows =
                    query(tx, sql::READ_CANONICAL_DAYS, &[&vec![video_id], &first_day, &last_day]).await?;
                let mut days: Vec<NaiveDate> =
                    rows.iter().map(|row| row.try_get("captured_on")).collect::<Result<_, _>>()?;
                days.sort_unstable();
                Ok(days)
            }
            .scope_boxed()
        })
        .await
    }
}

/// Removes the part of a video-day. The video's lane is locked, so that no fold appends meanwhile and no day comes in between.
pub(crate) async fn cut_in(
    tx: &Transaction<'_>,
    tables: Tables,
    video_id: &str,
    day: NaiveDate,
    part: &Part,
) -> Result<ForgottenRows, StoreError> {
    let month = day.with_day(1).expect("every month has a first day");
    let last_of_month = month + Months::new(1) - Days::new(1);
    // All of the month, as its bounds are summed anew: nobody raises them meanwhile.
    lock_days(tx, &[video_id.to_owned()], month, last_of_month).await?;
    lock_on_node(tx, tables, video_id).await?;
    let region = part.region.as_ref().map(Region::as_str);
    let last_kept = part.last_kept_sec();
    if !query(tx, sql::HAS_PART, &[&video_id, &day, &region, &last_kept]).await?[0].try_get("found")? {
        return Ok(ForgottenRows::default());
    }
    // The night counts the epoch anew, and a count that is under way sees that something has changed.
    closed_epochs::delete(tx, day, &[video_id.to_owned()]).await?;
    closed_epochs::note(tx, day, &[video_id].into()).await?;
    crash_point!("forget::uncounted");
    let rows = query(tx, sql::CUT_RUNS, &[&video_id, &day, &region, &last_kept]).await?;
    let mut gone = ForgottenRows {
        canonical: rows[0].try_get::<_, i64>("canonical")? as u64,
        shards: rows[0].try_get::<_, i64>("shards")? as u64,
    };
    crash_point!("forget::runs");
    // This is read under the locks, because thinning moves it on before it takes them.
    let is_fine = kept_days::read(tx).await?.fine_from <= day;
    gone.canonical += cut_levels(tx, video_id, day, region, Cut::behind(last_kept, is_fine)).await?;

    let rows = query(tx, sql::DELETE_CUT_WHOLES, &[&video_id, &day, &region]).await?;
    let (mut regions, mut heartbeats): (Vec<&str>, Vec<i64>) = Default::default();
    for row in &rows {
        gone.canonical += row.try_get::<_, i64>("canonical")? as u64;
        gone.shards += row.try_get::<_, i64>("shards")? as u64;
        regions.push(row.try_get("region")?);
        heartbeats.push(row.try_get("heartbeats")?);
    }
    crash_point!("forget::wholes");
    if part.after_sec.is_some() {
        let parameters: &[&(dyn ToSql + Sync)] = &[&video_id, &day, &region, &regions, &heartbeats];
        execute(tx, sql::WRITE_CUT_WHOLES, parameters).await?;
    }
    execute(tx, sql::WRITE_GLOBAL_WHOLE, &[&video_id, &day]).await?;
    crash_point!("forget::bounds");
    execute(tx, sql::DELETE_BOUNDS, &[&video_id, &month]).await?;
    execute(tx, sql::WRITE_BOUNDS, &[&video_id, &month, &last_of_month]).await?;
    // Growth stays: it says how many runs were appended, and whoever counts too many is compacted early.
    Ok(gone)
}

/// Removes the part from the rows of spread blocks; returns how many rows went.
async fn cut_levels(
    tx: &Transaction<'_>,
    video_id: &str,
    day: NaiveDate,
    region: Option<&str>,
    cut: Cut,
) -> Result<u64, StoreError> {
    let Cut { first_sec, five, sixty, last_of_fives, .. } = cut;
    let rows = query(tx, sql::CUT_LEVELS, &[&video_id, &day, &region, &first_sec, &five, &sixty]).await?;
    let gone = rows[0].try_get::<_, i64>("rows")? as u64;
    crash_point!("forget::levels");
    if gone == 0 {
        return Ok(0);
    }
    // From the finest on: a coarser level is united from the next finer one.
    if cut.cuts_five {
        let last_kept = first_sec - 1;
        execute(tx, sql::WRITE_CUT_FIVE, &[&video_id, &day, &region, &five, &last_kept]).await?;
    }
    if cut.cuts_sixty {
        execute(tx, sql::WRITE_CUT_SIXTY, &[&video_id, &day, &region, &sixty, &last_of_fives]).await?;
    }
    crash_point!("forget::cut");
    execute(tx, sql::WRITE_GLOBAL_LEVELS, &[&video_id, &day, &first_sec, &five, &sixty]).await?;
    execute(tx, sql::DELETE_EMPTY_SPREAD, &[&video_id, &day, &BLOCK_SECS]).await?;
    crash_point!("forget::global");
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_that_are_cut() {
        let all =
            Cut { first_sec: 0, five: 0, cuts_five: false, last_of_fives: -1, sixty: 0, cuts_sixty: false };
        assert_eq!((Cut::behind(-1, true), Cut::behind(-1, false)), (all, all));
        let amid = Cut::behind(181, true);
        assert_eq!((amid.first_sec, amid.five, amid.cuts_five), (182, 180, true));
        assert_eq!((amid.sixty, amid.cuts_sixty, amid.last_of_fives), (180, true, 181));
        let thinned = Cut::behind(181, false);
        assert_eq!((thinned.first_sec, thinned.five, thinned.cuts_five), (182, 185, false));
        assert_eq!((thinned.sixty, thinned.cuts_sixty, thinned.last_of_fives), (180, true, 184));
        let thinned = Cut::behind(178, false);
        assert_eq!((thinned.five, thinned.sixty, thinned.cuts_sixty), (180, 180, false));
        let at_an_edge = Cut::behind(179, true);
        assert_eq!((at_an_edge.five, at_an_edge.cuts_five, at_an_edge.cuts_sixty), (180, false, false));
    }
}
