//! The locks of those who change canonical rows: one a video and salt epoch, held to the end of a transaction.
//!
//! Compaction by night and by the workers, thinning, removal and the counting of closed epochs all take them, several of
//! them in one order, and before they touch a row. Reads and folds take none: what they see and append is never changed.

use chrono::{Datelike, NaiveDate};

use super::sql;
use crate::postgres::{StoreError, Tables, Transaction, query};
use crate::viewers::{epoch::Rotation, store::epochs_of_days};

/// Waits for the locks of videos, each in a salt epoch that is told by its first day.
pub(crate) async fn lock_videos(
    tx: &Transaction<'_>,
    videos: &[(&str, NaiveDate)],
) -> Result<(), StoreError> {
    let epochs: Vec<i32> = videos.iter().map(|(_, first_day)| number(*first_day)).collect();
    let videos: Vec<&str> = videos.iter().map(|(video_id, _)| *video_id).collect();
    query(tx, sql::LOCK_VIDEOS, &[&videos, &epochs]).await?;
    Ok(())
}

/// Waits for the locks of video-days.
pub(crate) async fn lock_video_days(
    tx: &Transaction<'_>,
    video_days: &[(&str, NaiveDate)],
) -> Result<(), StoreError> {
    let mut days: Vec<NaiveDate> = video_days.iter().map(|(_, day)| *day).collect();
    days.sort_unstable();
    days.dedup();
    let epochs = epochs_of_days(tx, &days).await?;
    let videos: Vec<(&str, NaiveDate)> =
        video_days.iter().map(|(video_id, day)| (*video_id, epochs[day])).collect();
    lock_videos(tx, &videos).await
}

/// Waits, where the tables are distributed, until nothing of a video is prepared that is not committed, and keeps others from it.
/// A node that is lost between the two phases of a commit has such transactions when it is back, for a minute at most, whose
/// locks at the coordinator are gone.
pub(crate) async fn lock_on_node(
    tx: &Transaction<'_>,
    tables: Tables,
    video_id: &str,
) -> Result<(), StoreError> {
    if tables == Tables::Distributed {
        query(tx, sql::LOCK_VIDEO_ON_NODE, &[&video_id]).await?;
    }
    Ok(())
}

/// Locks the counts of growth of some days, in the order of folds, for who deletes them. Where the tables are distributed each node
/// locks its own, as it finds them, and Citus ends a circle.
pub(super) async fn lock_growth(
    tx: &Transaction<'_>,
    tables: Tables,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<(), StoreError> {
    if tables == Tables::Local {
        query(tx, sql::LOCK_GROWTH, &[&first_day, &last_day]).await?;
    }
    Ok(())
}

/// Locks the notes of days that are not kept, in the order of compaction, and their counts of growth as [`lock_growth`] does.
pub(super) async fn lock_unkept(
    tx: &Transaction<'_>,
    tables: Tables,
    kept_from: NaiveDate,
) -> Result<(), StoreError> {
    let (first_day, _) = Rotation::Never.span(kept_from);
    let Some(last_day) = kept_from.pred_opt() else { return Ok(()) };
    lock_growth(tx, tables, first_day, last_day).await?;
    if tables == Tables::Local {
        query(tx, sql::LOCK_UNKEPT_UNCOUNTED, &[&kept_from]).await?;
    }
    Ok(())
}

/// Takes the lock of a video-day unless somebody has it; returns whether it did.
pub(crate) async fn try_lock_video(
    tx: &Transaction<'_>,
    video_id: &str,
    day: NaiveDate,
) -> Result<bool, StoreError> {
    let epochs = epochs_of_days(tx, &[day]).await?;
    Ok(query(tx, sql::TRY_LOCK_VIDEO, &[&video_id, &number(epochs[&day])]).await?[0].try_get("locked")?)
}

/// An epoch's number in its locks: its first day, counted back from 0001-01-01, which is -1. All other locks have numbers from
/// 0 on, so that no name of a video can be made up that meets one of them.
fn number(first_day: NaiveDate) -> i32 {
    -first_day.num_days_from_ce()
}
