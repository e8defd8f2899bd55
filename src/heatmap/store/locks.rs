//! The locks of those who change canonical rows: one a video and salt epoch, held to the end of a transaction.
//!
//! Compaction by night and by the workers, thinning, removal and the counting of closed epochs all take them, several of
//! them in one order, and before they touch a row. Reads and folds take none: what they see and append is never changed.

use chrono::{Datelike, NaiveDate};

use super::sql;
use crate::postgres::{StoreError, Tables, Transaction, query};
use crate::viewers::store::epochs_of_days;

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
