//! A piece of runs: what is taken from the shards becomes canonical runs, or seconds and their levels where a block is
//! spread. All of it happens in the transaction of the piece, under the locks of its videos.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use crate::{
    events::region::GLOBAL,
    heatmap::{
        level::{self, LEVELS},
        run::{Run, merge},
        store::{
            closed_epochs,
            levels::{self, LevelKey},
            pieces::{self, Peeked, Rows, ShardRun},
            runs::{self, BlockKey, BlockSize, CanonicalRun, PlacedRun},
        },
    },
    postgres::{StoreError, Transaction, kept_days},
    sketch::Unreadable,
};

/// A block with more canonical runs than this, all regions together, is spread if they are short: a strip unites that many
/// of 28 days in well under a tenth of a second, and a row a second costs more than a row a run as long as they are few.
const MAX_BLOCK_RUNS: i64 = 500;
/// Runs that cover at least as many seconds on average are not worth a row for each of them.
const SHORT_RUN_SECS: i64 = 8;

/// A block and its runs by region; they may overlap.
struct Block {
    key: BlockKey,
    regions: BTreeMap<String, Vec<Run>>,
}

/// The change of a block's canonical runs in one region.
struct Merged {
    /// The canonical runs that the piece meets, by first second.
    met: HashMap<i32, PlacedRun>,
    /// Those runs and the piece's, merged.
    runs: Vec<Run>,
}

/// Moves what was peeked at, as far as it is still there; its videos are locked. Returns how many rows it moved.
pub(super) async fn move_runs(
    tx: &Transaction<'_>,
    rows: Rows,
    day: NaiveDate,
    peeked: &Peeked,
) -> Result<u64, StoreError> {
    let taken = pieces::take(tx, rows, day, peeked).await?;
    crash_point!("compaction::taken");
    let moved = taken.len() as u64;
    if moved == 0 {
        return Ok(0);
    }
    closed_epochs::delete(tx, day, &peeked.videos).await?;
    crash_point!("compaction::uncounted");
    let spread = runs::spread_blocks(tx, day, &peeked.videos).await?;
    let (seconds, canonical): (Vec<Block>, Vec<Block>) =
        blocks(taken).into_iter().partition(|block| spread.contains(&block.key));
    let popular = write_runs(tx, day, canonical).await?;
    let changed = seconds.iter().chain(&popular).map(|block| block.key.0.as_str()).collect();
    closed_epochs::note(tx, day, &changed).await?;
    // This is read under the locks, because thinning moves it on before it takes them.
    let is_fine = kept_days::read(tx).await?.fine_from <= day;
    for block in seconds {
        write_block(tx, day, block, is_fine, false).await?;
    }
    for block in popular {
        write_block(tx, day, block, is_fine, true).await?;
    }
    Ok(moved)
}

/// Cuts what was taken into blocks.
fn blocks(taken: Vec<ShardRun>) -> Vec<Block> {
    let mut blocks: BTreeMap<BlockKey, BTreeMap<String, Vec<Run>>> = BTreeMap::new();
    for ShardRun { video_id, region, run } in taken {
        for run in run.by_block() {
            let regions = blocks.entry((video_id.clone(), run.block())).or_default();
            match regions.get_mut(&region) {
                Some(runs) => runs.push(run),
                None => {
                    regions.insert(region.clone(), vec![run]);
                }
            }
        }
    }
    blocks.into_iter().map(|(key, regions)| Block { key, regions }).collect()
}

/// Merges blocks with their canonical runs and writes what changes. Returns the blocks that have become popular by it, whole:
/// they are spread from now on, and none of their runs is left.
async fn write_runs(
    tx: &Transaction<'_>,
    day: NaiveDate,
    blocks: Vec<Block>,
) -> Result<Vec<Block>, StoreError> {
    if blocks.is_empty() {
        return Ok(Vec::new());
    }
    let videos = Vec::from_iter(BTreeSet::from_iter(blocks.iter().map(|block| block.key.0.as_str())));
    let regions = Vec::from_iter(BTreeSet::from_iter(
        blocks.iter().flat_map(|block| block.regions.keys().map(String::as_str)),
    ));
    let numbers = Vec::from_iter(BTreeSet::from_iter(blocks.iter().map(|block| block.key.1)));
    let mut there = runs::read(tx, day, &videos, &regions, &numbers).await?;
    // These are the sizes before the piece; a block that had no runs has no size.
    let sizes = runs::measure(tx, day, &videos).await?;
    let videos: Vec<String> = videos.into_iter().map(str::to_owned).collect();

    let mut merged_blocks = Vec::with_capacity(blocks.len());
    for Block { key, regions } in blocks {
        let mut merged = BTreeMap::new();
        for (region, runs) in regions {
            let there = there.remove(&(key.clone(), region.clone())).unwrap_or_default();
            merged.insert(region, merge_region(there, runs)?);
        }
        merged_blocks.push((key, merged));
    }

    let (mut gone, mut written, mut popular) = (Vec::new(), Vec::new(), Vec::new());
    for (key, merged) in merged_blocks {
        if is_popular(sizes.get(&key).copied().unwrap_or_default(), &merged) {
            popular.push(spread(tx, day, key, merged).await?);
            continue;
        }
        for (region, Merged { mut met, runs }) in merged {
            for run in runs {
                match met.remove(&run.start_sec) {
                    Some(there) if there.run == run => {}
                    _ => written.push(CanonicalRun { video_id: key.0.clone(), region: region.clone(), run }),
                }
            }
            gone.extend(met.into_values().map(|there| there.place));
        }
    }
    if !gone.is_empty() {
        let videos: Vec<&str> = videos.iter().map(String::as_str).collect();
        runs::delete(tx, day, &videos, &gone).await?;
    }
    crash_point!("compaction::deleted");
    runs::write(tx, day, &written).await?;
    crash_point!("compaction::written");
    Ok(popular)
}

/// Runs that only touch the piece's are met too: they may be one with them.
fn merge_region(there: Vec<PlacedRun>, runs: Vec<Run>) -> Result<Merged, Unreadable> {
    let first_sec = runs.iter().map(|run| run.start_sec).min().unwrap_or(i32::MAX);
    let last_sec = runs.iter().map(|run| run.end_sec).max().unwrap_or(i32::MIN);
    let met: HashMap<i32, PlacedRun> = there
        .into_iter()
        .filter(|there| there.run.end_sec + 1 >= first_sec && there.run.start_sec - 1 <= last_sec)
        .map(|there| (there.run.start_sec, there))
        .collect();
    let runs = merge(met.values().map(|there| there.run.clone()).chain(runs))?;
    Ok(Merged { met, runs })
}

/// Returns true if a block of that size has too many short runs once these are merged.
fn is_popular(before: BlockSize, merged: &BTreeMap<String, Merged>) -> bool {
    let mut after = before;
    for Merged { met, runs } in merged.values() {
        after.runs += runs.len() as i64 - met.len() as i64;
        after.seconds += runs.iter().map(Run::seconds).sum::<i64>()
            - met.values().map(|there| there.run.seconds()).sum::<i64>();
    }
    after.runs > MAX_BLOCK_RUNS && after.seconds < SHORT_RUN_SECS * after.runs
}

/// Takes all runs of a block away, and returns them with what was merged.
async fn spread(
    tx: &Transaction<'_>,
    day: NaiveDate,
    key: BlockKey,
    merged: BTreeMap<String, Merged>,
) -> Result<Block, StoreError> {
    runs::insert_spread(tx, day, &key).await?;
    crash_point!("compaction::spread");
    let mut regions: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for (region, run) in runs::take_block(tx, day, &key).await? {
        if merged.get(&region).is_none_or(|merged| !merged.met.contains_key(&run.start_sec)) {
            regions.entry(region).or_default().push(run);
        }
    }
    crash_point!("compaction::gathered");
    for (region, Merged { runs, .. }) in merged {
        regions.entry(region).or_default().extend(runs);
    }
    Ok(Block { key, regions })
}

/// Adds a block's runs to its seconds and their levels, region by region and then `GLOBAL`. A block that was just spread has
/// none yet.
async fn write_block(
    tx: &Transaction<'_>,
    day: NaiveDate,
    block: Block,
    is_fine: bool,
    is_new: bool,
) -> Result<(), StoreError> {
    let Block { key: (video_id, _), regions } = block;
    let key = |region| LevelKey { day, video_id: &video_id, region };
    let mut everywhere = Vec::new();
    for (region, runs) in &regions {
        let runs = merge(runs.iter().cloned())?;
        write_levels(tx, key(region), &runs, is_fine, is_new).await?;
        crash_point!("compaction::region");
        everywhere.extend(runs);
    }
    let runs = merge(everywhere.into_iter())?;
    write_levels(tx, key(GLOBAL), &runs, is_fine, is_new).await?;
    crash_point!("compaction::levels");
    Ok(())
}

async fn write_levels(
    tx: &Transaction<'_>,
    key: LevelKey<'_>,
    runs: &[Run],
    is_fine: bool,
    is_new: bool,
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Ok(()) };
    for level in LEVELS {
        // A late heartbeat of a day that is not kept by the second any more goes to the coarser levels only.
        if level == 1 && !is_fine {
            continue;
        }
        let there = match is_new {
            true => HashMap::new(),
            false => levels::read(tx, key, level, first.start_sec, last.end_sec).await?,
        };
        match level {
            1 => levels::write_seconds(tx, key, &level::seconds(runs, &there)?).await?,
            _ => levels::write_buckets(tx, key, level, &level::buckets(level, runs, there)?).await?,
        }
        crash_point!("compaction::level");
    }
    Ok(())
}
