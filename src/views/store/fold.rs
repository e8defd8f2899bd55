//! The fold of views, inside the worker's transaction: rows are locked and read, decided on in Rust, and written once each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use super::{recents, rule, sql, totals, trending};
use crate::{
    events::hashed::HashedView,
    ledger::{self, Element, REPEATED, store::Added},
    postgres::{StoreError, Tables, Transaction, execute, query, sketches::Sketch},
    sketch::{self, Union},
    views::fold::{ChangedPiece, Changes, Key, fold},
};

/// What a fold of views did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FoldedViews {
    /// Rows written.
    pub rows: u64,
    /// Views taken out of the queue.
    pub views: u64,
    /// Those of them that counted.
    pub counted: u64,
    /// Rows of trending, among those written.
    pub trending: u64,
}

impl FoldedViews {
    /// Adds what another fold did.
    pub fn add(&mut self, other: FoldedViews) {
        self.rows += other.rows;
        self.views += other.views;
        self.counted += other.counted;
        self.trending += other.trending;
    }
}

/// Folds views in their order.
pub(crate) async fn fold_in(
    tx: &Transaction<'_>,
    tables: Tables,
    views: &[HashedView<'_>],
) -> Result<FoldedViews, StoreError> {
    if views.is_empty() {
        return Ok(FoldedViews::default());
    }
    tx.batch_execute(sql::PREPARE_VIEWS).await?;
    let rule = rule::read(tx).await?;
    let mut views = views.to_vec();
    bind(tx, &mut views).await?;
    let keys: BTreeSet<Key<'_>> =
        views.iter().map(|view| Key { video_id: view.video_id, viewer: view.viewer }).collect();
    if tables == Tables::Distributed {
        let videos: BTreeSet<&str> = keys.iter().map(|key| key.video_id).collect();
        execute(tx, sql::HOLD_TOTALS_DISTRIBUTED, &[&Vec::from_iter(videos)]).await?;
    }
    let recents = recents::lock(tx, tables, &Vec::from_iter(keys)).await?;
    let changes = fold(&views, recents, rule.window());
    let mut rows = recents::write(tx, tables, &changes.recents).await?;
    // Whoever has only come back inside the window changes nothing else.
    if !changes.videos.is_empty() {
        rows += write(tx, tables, &changes).await?;
    }
    let repeats: Vec<Added<'_>> = changes
        .repeats
        .iter()
        .map(|(&(video_id, day), &elements)| Added {
            video_id,
            day,
            element: Element::View,
            outcome: REPEATED,
            elements,
        })
        .collect();
    crash_point!("ledger::repeats");
    ledger::store::add_in(tx, &repeats).await?;
    // Last, as its rows are locked by nobody who waits for others.
    let trending = trending::add_in(tx, tables, &changes.new_viewers).await?;
    let counted = changes.videos.values().map(|video| video.views as u64).sum();
    Ok(FoldedViews { rows: rows + trending, views: views.len() as u64, counted, trending })
}

/// Puts users in the place of the devices that are bound to them, whenever the views were queued.
async fn bind(tx: &Transaction<'_>, views: &mut [HashedView<'_>]) -> Result<(), StoreError> {
    let mut asked: BTreeSet<(NaiveDate, i64)> = views.iter().map(|view| (view.epoch, view.viewer)).collect();
    let mut bound: HashMap<(NaiveDate, i64), i64> = HashMap::new();
    // A user may be bound to another in turn. Bindings never form a circle, so that this ends.
    while !asked.is_empty() {
        let (epochs, viewers): (Vec<NaiveDate>, Vec<i64>) = asked.iter().copied().unzip();
        asked.clear();
        for row in query(tx, sql::READ_BINDINGS, &[&epochs, &viewers]).await? {
            let (epoch, device): (NaiveDate, i64) = (row.try_get("epoch")?, row.try_get("device")?);
            let viewer: i64 = row.try_get("viewer")?;
            bound.insert((epoch, device), viewer);
            if !bound.contains_key(&(epoch, viewer)) {
                asked.insert((epoch, viewer));
            }
        }
    }
    if bound.is_empty() {
        return Ok(());
    }
    for view in views {
        while let Some(&viewer) = bound.get(&(view.epoch, view.viewer)) {
            view.viewer = viewer;
        }
    }
    Ok(())
}

/// Writes what is counted by video, under the locks of the videos' totals.
async fn write(tx: &Transaction<'_>, tables: Tables, changes: &Changes<'_>) -> Result<u64, StoreError> {
    let videos: Vec<&str> = changes.videos.keys().copied().collect();
    if tables == Tables::Local {
        execute(tx, sql::INSERT_TOTALS, &[&videos]).await?;
        totals::lock(tx, tables, &videos).await?;
    }
    let (mut rows, lifetimes) = write_epochs(tx, changes).await?;
    rows += write_days(tx, changes).await?;
    rows += write_months(tx, changes).await?;
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (video_id, changed) in &changes.videos {
        let lifetime = lifetimes.get(video_id).copied().unwrap_or_default();
        columns.0.push(changed.views);
        columns.1.push(changed.new_viewers);
        columns.2.push(lifetime.viewers);
        columns.3.push(lifetime.estimated_epochs);
        columns.4.push(lifetime.first_epoch);
        columns.5.push(lifetime.last_epoch);
    }
    let (views, new, lifetime, estimated, firsts, lasts) = columns;
    let statement = tables.form(sql::UPDATE_TOTALS, sql::ADD_TO_TOTALS_DISTRIBUTED);
    rows += execute(tx, statement, &[&videos, &views, &new, &lifetime, &estimated, &firsts, &lasts]).await?;
    Ok(rows)
}

/// What a window adds to a video's lifetime viewers.
#[derive(Debug, Clone, Copy, Default)]
struct Lifetime {
    viewers: i64,
    estimated_epochs: i32,
    first_epoch: Option<NaiveDate>,
    last_epoch: Option<NaiveDate>,
}

async fn write_epochs<'a>(
    tx: &Transaction<'_>,
    changes: &Changes<'a>,
) -> Result<(u64, HashMap<&'a str, Lifetime>), StoreError> {
    let (videos, epochs): (Vec<&str>, Vec<NaiveDate>) = changes.epochs.keys().copied().unzip();
    let there = query(tx, sql::READ_EPOCHS, &[&videos, &epochs]).await?;
    let mut sketches = HashMap::new();
    for row in &there {
        let key: (&str, NaiveDate) = (row.try_get("video_id")?, row.try_get("epoch")?);
        sketches.insert(key, row.try_get::<_, Sketch<'_>>("viewers")?.0);
    }
    let mut union = Union::default();
    let mut columns: (Vec<&str>, Vec<NaiveDate>, Vec<Vec<u8>>) = Default::default();
    let mut lifetimes: HashMap<&str, Lifetime> = HashMap::new();
    for (&(video_id, epoch), elements) in &changes.epochs {
        let old = sketches.get(&(video_id, epoch)).copied();
        union.clear();
        if let Some(old) = old {
            union.add(old)?;
        }
        let (before, was_exact) = (union.cardinality(), union.is_exact());
        union.add(&encode(elements))?;
        let lifetime = lifetimes.entry(video_id).or_default();
        lifetime.viewers += union.cardinality() as i64 - before as i64;
        lifetime.estimated_epochs += i32::from(was_exact && !union.is_exact());
        lifetime.first_epoch.get_or_insert(epoch);
        lifetime.last_epoch = Some(epoch);
        let sketch = union.encode();
        if old != Some(&sketch) {
            columns.0.push(video_id);
            columns.1.push(epoch);
            columns.2.push(sketch);
        }
    }
    let rows = match columns.0.is_empty() {
        true => 0,
        false => execute(tx, sql::WRITE_EPOCHS, &[&columns.0, &columns.1, &columns.2]).await?,
    };
    Ok((rows, lifetimes))
}

async fn write_days(tx: &Transaction<'_>, changes: &Changes<'_>) -> Result<u64, StoreError> {
    let videos: Vec<&str> = changes.days.keys().map(|(video_id, ..)| *video_id).collect();
    let regions: Vec<&str> = changes.days.keys().map(|(_, region, _)| *region).collect();
    let days: Vec<NaiveDate> = changes.days.keys().map(|(.., day)| *day).collect();
    let there = query(tx, sql::READ_DAYS, &[&videos, &regions, &days]).await?;
    let mut sketches = HashMap::new();
    for row in &there {
        let key = (row.try_get("video_id")?, row.try_get("region")?, row.try_get("day")?);
        sketches.insert(key, row.try_get::<_, Sketch<'_>>("viewers")?.0);
    }
    let united = unite(&changes.days, &sketches)?;
    let (epochs, views) = counted(changes.days.values());
    execute(tx, sql::WRITE_DAYS, &[&videos, &regions, &days, &epochs, &views, &united]).await
}

async fn write_months(tx: &Transaction<'_>, changes: &Changes<'_>) -> Result<u64, StoreError> {
    let videos: Vec<&str> = changes.months.keys().map(|(video_id, ..)| *video_id).collect();
    let regions: Vec<&str> = changes.months.keys().map(|(_, region, ..)| *region).collect();
    let months: Vec<NaiveDate> = changes.months.keys().map(|(.., month, _)| *month).collect();
    let (epochs, views) = counted(changes.months.values());
    let there = query(tx, sql::READ_MONTHS, &[&videos, &regions, &months, &epochs]).await?;
    let mut sketches = HashMap::new();
    for row in &there {
        let key =
            (row.try_get("video_id")?, row.try_get("region")?, row.try_get("month")?, row.try_get("epoch")?);
        sketches.insert(key, row.try_get::<_, Sketch<'_>>("viewers")?.0);
    }
    let united = unite(&changes.months, &sketches)?;
    execute(tx, sql::WRITE_MONTHS, &[&videos, &regions, &months, &epochs, &views, &united]).await
}

fn counted<'a>(pieces: impl Iterator<Item = &'a ChangedPiece>) -> (Vec<NaiveDate>, Vec<i64>) {
    pieces.map(|piece| (piece.epoch, piece.views)).unzip()
}

/// Unites each piece with the sketch that is there: in Rust, where it takes a few microseconds.
fn unite<K: Ord + std::hash::Hash>(
    pieces: &BTreeMap<K, ChangedPiece>,
    there: &HashMap<K, &[u8]>,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut union = Union::default();
    let mut united = Vec::with_capacity(pieces.len());
    for (key, piece) in pieces {
        let new = encode(&piece.elements);
        united.push(match there.get(key) {
            None => new,
            Some(old) => {
                union.clear();
                union.add(old)?;
                union.add(&new)?;
                union.encode()
            }
        });
    }
    Ok(united)
}

/// The sketch of elements in any order.
fn encode(elements: &[i64]) -> Vec<u8> {
    let mut elements = elements.to_vec();
    elements.sort_unstable();
    elements.dedup();
    sketch::encode(&elements)
}
