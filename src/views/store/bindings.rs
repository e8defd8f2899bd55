//! Table `view_bindings`, and the pieces in which a device's rows become its user's.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{recents, sql, totals};
use crate::{
    postgres::{Store, StoreError, Tables, Transaction, citus, execute, query},
    queue::claim::lock_lane,
    views::fold::{ChangedRecent, Key},
};

/// Rows of a device that one transaction makes its user's: whoever views one of these videos waits for no more than this.
const PIECE_ROWS: i64 = 500;

/// A device and its user in one salt epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// First day of the salt epoch.
    pub epoch: NaiveDate,
    pub device: i64,
    pub viewer: i64,
}

/// The outcome of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// It stands.
    Bound,
    /// The user is a device itself: nothing was bound.
    UserIsDevice,
}

/// The work that a piece did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// There may be more behind the last video.
    Merged {
        /// Rows that became the user's.
        rows: u64,
        /// The last video.
        last: String,
    },
    /// No row is left.
    Ended,
}

impl Store {
    /// Binds a device to its user, in all epochs or in none; durable when it returns.
    pub async fn bind_device(&self, bindings: &[Binding]) -> Result<Bound, StoreError> {
        self.run_tx("bind_device", |tx| async move { bind(tx, bindings).await }.scope_boxed()).await
    }

    /// Waits until every fold is over that is under way now: each lane's lock is taken and released once.
    pub async fn wait_for_folds(&self) -> Result<(), StoreError> {
        for lane in 0..self.lanes() {
            self.run_tx("lock_lane", |tx| async move { lock_lane(tx, lane).await }.scope_boxed()).await?;
        }
        let tables = self.tables();
        self.run_tx("wait_for_prepared", |tx| {
            async move { citus::wait_for_prepared(tx, tables).await }.scope_boxed()
        })
        .await
    }

    /// Returns devices whose rows may not all have become their users', behind one.
    pub async fn unmerged_bindings(
        &self,
        behind: (NaiveDate, i64),
        limit: i64,
    ) -> Result<Vec<(NaiveDate, i64)>, StoreError> {
        self.run_tx("read_unmerged", |tx| {
            async move {
                let rows = query(tx, sql::READ_UNMERGED, &[&behind.0, &behind.1, &limit]).await?;
                rows.iter().map(|row| Ok((row.try_get("epoch")?, row.try_get("device")?))).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Makes the next rows of a device its user's, behind a video.
    pub async fn merge_piece(
        &self,
        epoch: NaiveDate,
        device: i64,
        behind: &str,
    ) -> Result<Piece, StoreError> {
        self.run_tx("merge_piece", |tx| {
            async move { merge(tx, self.tables(), epoch, device, behind).await }.scope_boxed()
        })
        .await
    }

    /// Returns the next epoch with bindings behind a day.
    pub async fn next_binding_epoch(&self, behind: NaiveDate) -> Result<Option<NaiveDate>, StoreError> {
        self.run_tx("read_binding_epoch", |tx| {
            async move { Ok(query(tx, sql::READ_BINDING_EPOCH, &[&behind]).await?[0].try_get("epoch")?) }
                .scope_boxed()
        })
        .await
    }

    /// Removes some of an epoch's bindings; returns how many.
    pub async fn delete_bindings(&self, epoch: NaiveDate, limit: i64) -> Result<u64, StoreError> {
        self.run_tx("delete_bindings", |tx| {
            async move { execute(tx, sql::DELETE_BINDINGS, &[&epoch, &limit]).await }.scope_boxed()
        })
        .await
    }
}

async fn bind(tx: &Transaction<'_>, bindings: &[Binding]) -> Result<Bound, StoreError> {
    tx.batch_execute(sql::PREPARE_VIEWS).await?;
    let hashes: Vec<i64> = bindings.iter().flat_map(|binding| [binding.device, binding.viewer]).collect();
    // With both hashes held alone no circle can come into being: whoever closed one would find its user bound.
    query(tx, sql::LOCK_HASHES, &[&hashes]).await?;
    let epochs: Vec<NaiveDate> = bindings.iter().map(|binding| binding.epoch).collect();
    let devices: Vec<i64> = bindings.iter().map(|binding| binding.device).collect();
    let viewers: Vec<i64> = bindings.iter().map(|binding| binding.viewer).collect();
    if !query(tx, sql::READ_BINDINGS, &[&epochs, &viewers]).await?.is_empty() {
        return Ok(Bound::UserIsDevice);
    }
    execute(tx, sql::WRITE_BINDINGS, &[&epochs, &devices, &viewers]).await?;
    Ok(Bound::Bound)
}

/// The user that a device counts as, through however many bindings; none if it is bound to nobody.
async fn user(tx: &Transaction<'_>, epoch: NaiveDate, device: i64) -> Result<Option<i64>, StoreError> {
    let mut user = None;
    loop {
        let rows = query(tx, sql::READ_BINDINGS, &[&vec![epoch], &vec![user.unwrap_or(device)]]).await?;
        let Some(row) = rows.first() else { return Ok(user) };
        user = Some(row.try_get("viewer")?);
    }
}

async fn merge(
    tx: &Transaction<'_>,
    tables: Tables,
    epoch: NaiveDate,
    device: i64,
    behind: &str,
) -> Result<Piece, StoreError> {
    tx.batch_execute(sql::PREPARE_VIEW_PIECES).await?;
    query(tx, sql::SHARE_MERGES, &[]).await?;
    let Some(mut found) = user(tx, epoch, device).await? else { return Ok(Piece::Ended) };
    let user = loop {
        // Whoever binds this user to another waits from here on until the piece is committed, and finds its rows.
        query(tx, sql::SHARE_HASH, &[&found]).await?;
        match user(tx, epoch, device).await? {
            Some(now) if now != found => found = now,
            Some(now) => break now,
            None => return Ok(Piece::Ended),
        }
    };
    let rows = query(tx, sql::READ_DEVICE_VIDEOS, &[&device, &behind, &PIECE_ROWS]).await?;
    let videos: Vec<String> = rows.iter().map(|row| row.try_get("video_id")).collect::<Result<_, _>>()?;
    let Some(last) = videos.last() else {
        execute(tx, sql::SET_MERGED, &[&epoch, &device, &direct(tx, epoch, device).await?]).await?;
        return Ok(Piece::Ended);
    };
    let keys: BTreeSet<Key<'_>> =
        videos.iter().flat_map(|video_id| [device, user].map(|viewer| Key { video_id, viewer })).collect();
    if tables == Tables::Distributed {
        let videos: Vec<&str> = videos.iter().map(String::as_str).collect();
        totals::lock(tx, tables, &videos).await?;
    }
    let mut locked = recents::lock(tx, tables, &Vec::from_iter(keys)).await?;
    let mut changed: BTreeMap<Key<'_>, ChangedRecent> = BTreeMap::new();
    let (mut moved, mut merged) = (Vec::new(), Vec::new());
    for video_id in &videos {
        // It may have been archived since it was looked up.
        let Some(of_device) = locked.remove(&Key { video_id, viewer: device }) else { continue };
        let key = Key { video_id, viewer: user };
        let of_user = locked.remove(&key);
        moved.push(video_id.as_str());
        merged.push(i64::from(of_user.is_some()));
        let is_new = of_user.is_none();
        let recent = match of_user {
            None => of_device,
            Some(mut recent) => {
                recent.merge(&of_device);
                recent
            }
        };
        changed.insert(key, ChangedRecent { recent, is_new });
    }
    if !moved.is_empty() {
        execute(tx, sql::DELETE_RECENTS, &[&moved, &vec![device; moved.len()]]).await?;
        recents::write(tx, tables, &changed).await?;
        crash_point!("identify::amid_piece");
        totals::lock(tx, tables, &moved).await?;
        execute(tx, sql::MERGE_TOTALS, &[&moved, &vec![1_i64; moved.len()], &merged]).await?;
    }
    Ok(Piece::Merged { rows: moved.len() as u64, last: last.clone() })
}

/// The user that a device is bound to itself.
async fn direct(tx: &Transaction<'_>, epoch: NaiveDate, device: i64) -> Result<Option<i64>, StoreError> {
    let rows = query(tx, sql::READ_BINDINGS, &[&vec![epoch], &vec![device]]).await?;
    rows.first().map(|row| Ok(row.try_get("viewer")?)).transpose()
}
