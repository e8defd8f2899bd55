//! The shard rows that a piece of a compaction takes away.

use std::pin::pin;

use chrono::NaiveDate;
use futures_util::TryStreamExt;

use super::sql;
use crate::heatmap::run::Run;
use crate::postgres::{StoreError, Transaction, query, query_stream, sketches::Sketch};

/// Which shard rows a piece is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Shard runs.
    Runs,
    /// Rows of seconds, as an earlier version wrote them.
    Seconds,
    /// Whole videos.
    Whole,
}

/// A key of shard rows within a day; a piece begins with one, or behind it where rows have a key of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShardKey {
    pub video_id: String,
    /// The region; unused for runs.
    pub region: String,
    /// The second; unused for whole videos.
    pub second: i32,
}

impl ShardKey {
    /// Before every key.
    pub fn first() -> Self {
        ShardKey { video_id: String::new(), region: String::new(), second: -1 }
    }
}

/// How much a piece takes at most, and it takes at least one row.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Shard rows.
    pub rows: u64,
    /// Seconds that they cover: a run may become as many rows.
    pub seconds: u64,
    /// Videos, whose canonical rows are read and written too.
    pub videos: u64,
}

/// The rows that a piece is going to take.
#[derive(Debug, Default)]
pub(crate) struct Peeked {
    /// The places where they lie in the table (`ctid`).
    places: Vec<String>,
    /// Their videos, ascending.
    pub(crate) videos: Vec<String>,
    /// The last of them.
    pub(crate) end: Option<ShardKey>,
}

/// A shard run that was taken.
#[derive(Debug)]
pub(crate) struct ShardRun {
    pub(crate) video_id: String,
    pub(crate) region: String,
    pub(crate) run: Run,
}

/// Looks at the next runs or seconds of a day from a key on. No row is locked, so they may be gone when they are taken.
pub(crate) async fn peek(
    tx: &Transaction<'_>,
    rows: Rows,
    day: NaiveDate,
    from: &ShardKey,
    limits: Limits,
) -> Result<Peeked, StoreError> {
    let most = limits.rows.max(1) as i64;
    let found = match rows {
        Rows::Seconds => {
            query(tx, sql::PEEK_SECONDS, &[&day, &from.video_id, &from.region, &from.second, &most]).await?
        }
        Rows::Runs | Rows::Whole => {
            query(tx, sql::PEEK_RUNS, &[&day, &from.video_id, &from.second, &most]).await?
        }
    };
    peeked(rows, &found, limits)
}

/// Looks as [`peek`] does, at the shard runs of one video.
pub(crate) async fn peek_video(
    tx: &Transaction<'_>,
    day: NaiveDate,
    video_id: &str,
    first_sec: i32,
    limits: Limits,
) -> Result<Peeked, StoreError> {
    let most = limits.rows.max(1) as i64;
    let found = query(tx, sql::PEEK_VIDEO_RUNS, &[&day, &video_id, &first_sec, &most]).await?;
    peeked(Rows::Runs, &found, limits)
}

fn peeked(rows: Rows, found: &[tokio_postgres::Row], limits: Limits) -> Result<Peeked, StoreError> {
    let mut peeked = Peeked::default();
    let mut seconds = 0;
    for row in found {
        seconds += row.try_get::<_, i32>("seconds")? as u64;
        let video_id: &str = row.try_get("video_id")?;
        let is_new = peeked.videos.last().is_none_or(|last| last != video_id);
        let is_full = seconds > limits.seconds || (is_new && peeked.videos.len() as u64 >= limits.videos);
        if is_full && !peeked.places.is_empty() {
            break;
        }
        if is_new {
            peeked.videos.push(video_id.to_owned());
        }
        peeked.places.push(row.try_get("place")?);
        peeked.end = Some(ShardKey {
            video_id: video_id.to_owned(),
            region: if rows == Rows::Seconds { row.try_get("region")? } else { String::new() },
            second: row.try_get("first_sec")?,
        });
    }
    Ok(peeked)
}

/// Takes the rows that were looked at, as far as they are there; their videos are locked.
pub(crate) async fn take(
    tx: &Transaction<'_>,
    rows: Rows,
    day: NaiveDate,
    peeked: &Peeked,
) -> Result<Vec<ShardRun>, StoreError> {
    let statement = if rows == Rows::Seconds { sql::TAKE_SECONDS } else { sql::TAKE_RUNS };
    let mut taken = Vec::with_capacity(peeked.places.len());
    let mut rows = pin!(query_stream(tx, statement, &[&day, &peeked.videos, &peeked.places]).await?);
    while let Some(row) = rows.try_next().await? {
        let Sketch(viewers) = row.try_get("viewers")?;
        taken.push(ShardRun {
            video_id: row.try_get("video_id")?,
            region: row.try_get("region")?,
            run: Run {
                start_sec: row.try_get("start_sec")?,
                end_sec: row.try_get("end_sec")?,
                viewers: viewers.to_vec(),
                plays: row.try_get("plays")?,
            },
        });
    }
    Ok(taken)
}
