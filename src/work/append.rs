//! The entries of a step become rows, in its transaction: each is folded by the capability that it belongs to.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::regions::{self, Came, Learned, VideoDay as OfDay};
use crate::{
    audience,
    events::{
        hashed::{Entry, HashedHeartbeat, HashedView},
        heartbeat::MAX_SEC,
    },
    heatmap::{
        fold::fold,
        store::shards::{self, VideoDay},
    },
    ledger::{self, Element},
    postgres::{Store, StoreError, Tables, Transaction},
    views::store::fold::{FoldedViews, fold_in},
};

/// What entries became.
#[derive(Default)]
pub(super) struct Appended {
    pub(super) rows: u64,
    pub(super) grown: Vec<VideoDay>,
    pub(super) views: FoldedViews,
    /// To be remembered once it is committed.
    pub(super) learned: Learned,
}

/// Folds entries, each by the capability that it belongs to.
pub(super) async fn append(
    store: &Store,
    tx: &Transaction<'_>,
    entries: &[Entry<'_>],
) -> Result<Appended, StoreError> {
    let mut heartbeats: Vec<HashedHeartbeat<'_>> = Vec::with_capacity(entries.len());
    let mut viewed: Vec<HashedView<'_>> = Vec::new();
    for entry in entries {
        match entry {
            Entry::Heartbeat(heartbeat) => heartbeats.push(*heartbeat),
            Entry::View(view) => viewed.push(*view),
        }
    }
    let mut appended = Appended::default();
    if !heartbeats.is_empty() {
        append_heartbeats(store, tx, &heartbeats, &mut appended).await?;
    }
    // Last, because rows of views are locked: nobody waits for them longer than they take.
    append_views(tx, store.tables(), &viewed, &mut appended).await?;
    Ok(appended)
}

/// Folds heartbeats and appends the runs.
async fn append_heartbeats(
    store: &Store,
    tx: &Transaction<'_>,
    heartbeats: &[HashedHeartbeat<'_>],
    appended: &mut Appended,
) -> Result<(), StoreError> {
    // The bounds were checked on arrival; here they keep a row that something else wrote from filling the disk.
    let fits = |heartbeat: &HashedHeartbeat<'_>| {
        0 <= heartbeat.start_sec
            && heartbeat.start_sec <= heartbeat.end_sec
            && i64::from(heartbeat.end_sec) <= MAX_SEC
    };
    if !heartbeats.iter().all(fits) {
        return Err(StoreError::BadValue(format!("seconds outside 0..={MAX_SEC}")));
    }
    let days = heartbeats.iter().map(|heartbeat| heartbeat.captured_on).collect();
    store.ensure_shard_partitions(&days).await?;
    let of = |video_id, day| OfDay { element: Element::Heartbeat, video_id, day };
    // Folded first: whole videos tell which regions came, at no cost a heartbeat.
    let mut folded = fold(heartbeats);
    let came: Vec<Came<'_>> = folded
        .wholes
        .iter()
        .map(|whole| Came {
            of: of(whole.key.video_id, whole.key.captured_on),
            region: whole.key.region,
            elements: whole.heartbeats as u64,
        })
        .collect();
    let (overflow, learned) = regions::overflow(tx, &came).await?;
    appended.learned.extend(learned);
    let counted: Vec<HashedHeartbeat<'_>>;
    let mut heartbeats = heartbeats;
    if !overflow.is_empty() {
        ledger::store::add_in(tx, &overflow.told(&came)).await?;
        counted = heartbeats
            .iter()
            .map(|heartbeat| {
                let HashedHeartbeat { video_id, captured_on, region, .. } = *heartbeat;
                HashedHeartbeat { region: overflow.counted(of(video_id, captured_on), region), ..*heartbeat }
            })
            .collect();
        heartbeats = &counted;
        folded = fold(heartbeats);
    }
    audience::store::fold_in(store, tx, heartbeats).await?;
    appended.rows += shards::upsert_wholes(tx, &folded.wholes).await? + folded.runs.len() as u64;
    appended.grown.extend(shards::append_runs(tx, store.tables(), &folded.runs).await?);
    Ok(())
}

/// Folds views.
async fn append_views(
    tx: &Transaction<'_>,
    tables: Tables,
    views: &[HashedView<'_>],
    appended: &mut Appended,
) -> Result<(), StoreError> {
    let of = |view: &HashedView<'_>| -> NaiveDate { view.at.date_naive() };
    let mut elements: BTreeMap<(&str, NaiveDate, &str), u64> = BTreeMap::new();
    for view in views {
        *elements.entry((view.video_id, of(view), view.region)).or_default() += 1;
    }
    let came: Vec<Came<'_>> = elements
        .into_iter()
        .map(|((video_id, day, region), elements)| Came {
            of: OfDay { element: Element::View, video_id, day },
            region,
            elements,
        })
        .collect();
    let (overflow, learned) = regions::overflow(tx, &came).await?;
    appended.learned.extend(learned);
    let folded = if overflow.is_empty() {
        fold_in(tx, tables, views).await?
    } else {
        ledger::store::add_in(tx, &overflow.told(&came)).await?;
        let counted: Vec<HashedView<'_>> = views
            .iter()
            .map(|view| {
                let day = OfDay { element: Element::View, video_id: view.video_id, day: of(view) };
                HashedView { region: overflow.counted(day, view.region), ..*view }
            })
            .collect();
        fold_in(tx, tables, &counted).await?
    };
    appended.rows += folded.rows;
    appended.views = folded;
    Ok(())
}
