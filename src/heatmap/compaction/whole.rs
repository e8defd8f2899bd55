//! A piece of whole videos: the rows of each region are united with the canonical ones, `GLOBAL` too, and the bounds of the
//! month are raised by what was added.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::{
    events::region::GLOBAL,
    heatmap::store::{
        locks,
        pieces::{Limits, ShardKey},
        wholes::{self, WholeKey, WholeRow},
    },
    postgres::{StoreError, Tables, Transaction},
    sketch::{Union, Unreadable},
};

/// Moves the next rows behind a key, of this video if one is named; returns how many and the last key, none when there are no more.
pub(super) async fn move_wholes(
    tx: &Transaction<'_>,
    tables: Tables,
    day: NaiveDate,
    video_id: Option<&str>,
    behind: &ShardKey,
    limits: Limits,
) -> Result<Option<(u64, ShardKey)>, StoreError> {
    let keys = match video_id {
        Some(video_id) => wholes::peek_video(tx, day, video_id, &behind.region, limits.rows).await?,
        None => wholes::peek(tx, day, behind, limits.rows).await?,
    };
    let videos: Vec<&[WholeKey]> = keys.chunk_by(|a, b| a.0 == b.0).take(limits.videos as usize).collect();
    let Some(end) = videos.last().and_then(|keys| keys.last()) else { return Ok(None) };
    let videos: Vec<&str> = videos.iter().map(|keys| keys[0].0.as_str()).collect();
    let video_days: Vec<(&str, NaiveDate)> = videos.iter().map(|video_id| (*video_id, day)).collect();
    locks::lock_video_days(tx, &video_days).await?;
    for video_id in &videos {
        locks::lock_on_node(tx, tables, video_id).await?;
    }
    let taken = wholes::take(tx, day, behind, end, &videos).await?;
    crash_point!("compaction::wholes_taken");
    let moved = taken.len() as u64;
    let added = everywhere(taken)?;
    let mut bounds = Vec::with_capacity(added.len());
    for (key, whole) in &added {
        bounds.push((key, cardinality(&whole.viewers)?));
    }
    let month = day.with_day(1).expect("every month has a first day");
    wholes::raise_bounds(tx, month, &bounds).await?;
    crash_point!("compaction::bounds_raised");
    let there = wholes::read(tx, day, &videos).await?;
    let mut written = Vec::with_capacity(added.len());
    for (key, whole) in &added {
        written.push((key, there.get(key).map_or_else(|| Ok(whole.clone()), |there| unite(there, whole))?));
    }
    wholes::write(tx, day, &written).await?;
    crash_point!("compaction::wholes_written");
    let end = ShardKey { video_id: end.0.clone(), region: end.1.clone(), second: -1 };
    Ok(Some((moved, end)))
}

/// Adds a row for `GLOBAL` to those of a video's regions.
fn everywhere(taken: Vec<(WholeKey, WholeRow)>) -> Result<BTreeMap<WholeKey, WholeRow>, Unreadable> {
    let mut rows: BTreeMap<WholeKey, WholeRow> = BTreeMap::new();
    for ((video_id, region), row) in taken {
        let key = (video_id.clone(), GLOBAL.to_owned());
        let united = match rows.get(&key) {
            Some(there) => unite(there, &row)?,
            None => row.clone(),
        };
        rows.insert(key, united);
        rows.insert((video_id, region), row);
    }
    Ok(rows)
}

fn unite(a: &WholeRow, b: &WholeRow) -> Result<WholeRow, Unreadable> {
    let mut union = Union::default();
    union.add(&a.viewers)?;
    union.add(&b.viewers)?;
    Ok(WholeRow {
        last_sec: a.last_sec.max(b.last_sec),
        viewers: union.encode(),
        plays: a.plays + b.plays,
        heartbeats: a.heartbeats + b.heartbeats,
    })
}

fn cardinality(viewers: &[u8]) -> Result<u64, Unreadable> {
    let mut union = Union::default();
    union.add(viewers)?;
    Ok(union.cardinality())
}
