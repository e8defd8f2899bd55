//! Tables `video_heatmap_runs` and `video_heatmap_spread`: canonical runs, and the blocks that have none as they are spread.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
};

use chrono::NaiveDate;
use futures_util::TryStreamExt;

use super::sql;
use crate::heatmap::{BLOCK_SECS, run::Run};
use crate::postgres::{StoreError, Transaction, execute, query, query_stream, sketches::Sketch};

/// Rows that one statement writes at most, so that neither side holds many dense sketches at once.
const MAX_WRITTEN: usize = 4_000;

/// A block of a video.
pub(crate) type BlockKey = (String, i32);

/// A canonical run and where its row lies, which holds for as long as its video is locked.
#[derive(Debug)]
pub(crate) struct PlacedRun {
    pub(crate) place: String,
    pub(crate) run: Run,
}

/// How many canonical runs a block has, all regions together, and how many seconds they cover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct BlockSize {
    pub(crate) runs: i64,
    pub(crate) seconds: i64,
}

/// A canonical run that is to be written.
#[derive(Debug)]
pub(crate) struct CanonicalRun {
    pub(crate) video_id: String,
    pub(crate) region: String,
    pub(crate) run: Run,
}

/// The blocks of these videos that are spread.
pub(crate) async fn spread_blocks(
    tx: &Transaction<'_>,
    day: NaiveDate,
    videos: &[String],
) -> Result<HashSet<BlockKey>, StoreError> {
    let rows = query(tx, sql::READ_SPREAD, &[&day, &videos]).await?;
    rows.iter().map(|row| Ok((row.try_get("video_id")?, row.try_get::<_, i16>("block")?.into()))).collect()
}

/// From now on the block is spread.
pub(crate) async fn insert_spread(
    tx: &Transaction<'_>,
    day: NaiveDate,
    (video_id, block): &BlockKey,
) -> Result<(), StoreError> {
    execute(tx, sql::INSERT_SPREAD, &[&day, video_id, &(*block as i16)]).await?;
    Ok(())
}

/// The canonical runs of every one of these videos in every one of these regions and blocks, by video, block and region.
pub(crate) async fn read(
    tx: &Transaction<'_>,
    day: NaiveDate,
    videos: &[&str],
    regions: &[&str],
    blocks: &[i32],
) -> Result<HashMap<(BlockKey, String), Vec<PlacedRun>>, StoreError> {
    let mut runs: HashMap<(BlockKey, String), Vec<PlacedRun>> = HashMap::new();
    let mut rows =
        pin!(query_stream(tx, sql::READ_RUNS, &[&day, &videos, &regions, &BLOCK_SECS, &blocks]).await?);
    while let Some(row) = rows.try_next().await? {
        let run = run(&row)?;
        let key = ((row.try_get("video_id")?, run.block()), row.try_get("region")?);
        runs.entry(key).or_default().push(PlacedRun { place: row.try_get("place")?, run });
    }
    Ok(runs)
}

/// The sizes of the blocks of these videos that have runs.
pub(crate) async fn measure(
    tx: &Transaction<'_>,
    day: NaiveDate,
    videos: &[&str],
) -> Result<HashMap<BlockKey, BlockSize>, StoreError> {
    let rows = query(tx, sql::MEASURE_RUNS, &[&day, &videos, &BLOCK_SECS]).await?;
    rows.iter()
        .map(|row| {
            let size = BlockSize { runs: row.try_get("runs")?, seconds: row.try_get("seconds")? };
            Ok(((row.try_get("video_id")?, row.try_get("block")?), size))
        })
        .collect()
}

/// Takes all runs of a block away, each with its region.
pub(crate) async fn take_block(
    tx: &Transaction<'_>,
    day: NaiveDate,
    (video_id, block): &BlockKey,
) -> Result<Vec<(String, Run)>, StoreError> {
    let first_sec = block * BLOCK_SECS;
    let last_sec = first_sec + BLOCK_SECS - 1;
    let mut taken = Vec::new();
    let mut rows =
        pin!(query_stream(tx, sql::TAKE_BLOCK_RUNS, &[&day, video_id, &first_sec, &last_sec]).await?);
    while let Some(row) = rows.try_next().await? {
        taken.push((row.try_get("region")?, run(&row)?));
    }
    Ok(taken)
}

/// Deletes the rows that lie at these places; their videos are locked.
pub(crate) async fn delete(
    tx: &Transaction<'_>,
    day: NaiveDate,
    videos: &[&str],
    places: &[String],
) -> Result<(), StoreError> {
    execute(tx, sql::DELETE_RUNS, &[&day, &videos, &places]).await?;
    Ok(())
}

/// Writes runs, over those that begin at the same second.
pub(crate) async fn write(
    tx: &Transaction<'_>,
    day: NaiveDate,
    runs: &[CanonicalRun],
) -> Result<(), StoreError> {
    for runs in runs.chunks(MAX_WRITTEN) {
        let videos: Vec<&str> = runs.iter().map(|written| written.video_id.as_str()).collect();
        let regions: Vec<&str> = runs.iter().map(|written| written.region.as_str()).collect();
        let first_secs: Vec<i32> = runs.iter().map(|written| written.run.start_sec).collect();
        let last_secs: Vec<i32> = runs.iter().map(|written| written.run.end_sec).collect();
        let sketches: Vec<&[u8]> = runs.iter().map(|written| written.run.viewers.as_slice()).collect();
        let plays: Vec<i64> = runs.iter().map(|written| written.run.plays).collect();
        execute(tx, sql::WRITE_RUNS, &[&day, &videos, &regions, &first_secs, &last_secs, &sketches, &plays])
            .await?;
    }
    Ok(())
}

fn run(row: &tokio_postgres::Row) -> Result<Run, StoreError> {
    let Sketch(viewers) = row.try_get("viewers")?;
    Ok(Run {
        start_sec: row.try_get("start_sec")?,
        end_sec: row.try_get("end_sec")?,
        viewers: viewers.to_vec(),
        plays: row.try_get("plays")?,
    })
}
