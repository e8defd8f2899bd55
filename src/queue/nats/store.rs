//! Tables `queue_stream` and those beside it: how far the stream is read and folded.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use scoped_futures::ScopedFutureExt;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::buffer::{Frame, Position};
use crate::{
    events::{
        hashed::{Entry, HashedHeartbeats},
        part::Part,
        region::Region,
    },
    postgres::{Store, StoreError, Transaction, execute, query},
    queue::{
        batch_ids::{self, Accepted, Ring},
        failed::insert_unreadable,
        sql,
    },
};

/// Ids that one statement remembers.
const MAX_IDS: usize = 5_000;

/// Where a lane stands, locked.
#[derive(Debug, Clone, Copy)]
pub struct LanePosition {
    pub generation: i32,
    /// The message through which it is folded.
    pub folded: u64,
    /// The message through which it may be.
    pub registered: u64,
}

impl Store {
    /// Returns how far the stream is read and folded; none if the queue is the table.
    pub async fn stream_position(&self) -> Result<Option<Position>, StoreError> {
        self.run_tx("read_stream_position", |tx| {
            async move {
                let rows = query(tx, sql::STREAM_READ, &[]).await?;
                let Some(row) = rows.first() else { return Ok(None) };
                let lanes: Option<Vec<i64>> = row.try_get("lanes")?;
                let heartbeats: i64 = row.try_get("heartbeats")?;
                let folded: Option<i64> = row.try_get("folded")?;
                Ok(Some(Position {
                    name: row.try_get("name")?,
                    created: row.try_get("created")?,
                    generation: row.try_get("generation")?,
                    registered: row.try_get::<_, i64>("registered")? as u64,
                    registered_message: row.try_get("registered_message")?,
                    lanes: lanes.unwrap_or_default().into_iter().map(|sequence| sequence as u64).collect(),
                    waiting: (heartbeats - folded.unwrap_or(0)).max(0) as u64,
                }))
            }
            .scope_boxed()
        })
        .await
    }

    /// Registers messages, in their order: from then on it is decided which of their batches count. Returns how many were, none
    /// if somebody else is at it.
    pub(super) async fn register(
        &self,
        generation: i32,
        frames: &[Frame],
        now: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        self.run_tx("register_messages", |tx| {
            async move {
                let rows = query(tx, sql::STREAM_LOCK, &[&generation]).await?;
                let Some(row) = rows.first() else { return Ok(0) };
                let registered: i64 = row.try_get("registered")?;
                let new: Vec<&Frame> =
                    frames.iter().skip_while(|frame| frame.sequence <= registered as u64).collect();
                let Some(last) = new.last() else { return Ok(0) };
                if new[0].sequence != registered as u64 + 1 {
                    return Ok(0);
                }
                for ring in [Ring::Http, Ring::Replay] {
                    remember(tx, ring, new.iter().copied().filter(|frame| frame.ring == ring)).await?;
                }
                for frame in &new {
                    if let Some(bytes) = &frame.unreadable {
                        let reason = "unreadable: no message of the stream as this version writes them";
                        insert_unreadable(tx, bytes, reason, now).await?;
                        tracing::error!(
                            sequence = frame.sequence,
                            "message {} of the stream is set aside, nobody can read it",
                            frame.sequence
                        );
                    }
                }
                let heartbeats: u64 = new.iter().map(|frame| frame.heartbeats).sum();
                let parameters: &[&(dyn ToSql + Sync)] =
                    &[&registered, &(last.sequence as i64), &last.id, &(heartbeats as i64)];
                execute(tx, sql::STREAM_REGISTER, parameters).await?;
                Ok(new.len())
            }
            .scope_boxed()
        })
        .await
    }

    /// Notes that lanes have nothing to fold through a message.
    pub(super) async fn advance_idle_lanes(
        &self,
        generation: i32,
        lanes: &[(u16, u64)],
        through: u64,
    ) -> Result<(), StoreError> {
        let numbers: &Vec<i16> = &lanes.iter().map(|(lane, _)| *lane as i16).collect();
        let folded: &Vec<i64> = &lanes.iter().map(|(_, folded)| *folded as i64).collect();
        let through = through as i64;
        self.run_tx("advance_idle_lanes", |tx| {
            async move {
                execute(tx, sql::STREAM_ADVANCE_IDLE, &[&generation, numbers, folded, &through]).await
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Returns a message through which every lane is folded for good, whatever becomes of the server, and that nobody needs any
    /// more; none of a stream that another took the place of.
    pub(super) async fn passed_messages(&self, generation: i32) -> Result<Option<u64>, StoreError> {
        self.run_tx("read_passed_messages", |tx| {
            async move {
                tx.batch_execute(sql::STREAM_PREPARE_PASSED).await?;
                let rows = query(tx, sql::STREAM_PASSED, &[&generation]).await?;
                rows.first().map(|row| Ok(row.try_get::<_, i64>("passed")?.max(0) as u64)).transpose()
            }
            .scope_boxed()
        })
        .await
    }

    /// Takes a stream as the queue, from behind a message on; what was folded of it through another is left out.
    pub(super) async fn take_stream(
        &self,
        name: &str,
        created: &str,
        behind: u64,
        through: u64,
    ) -> Result<(), StoreError> {
        let (lanes, behind, through) = (i32::from(self.lanes()), behind as i64, through as i64);
        self.run_tx("take_stream", |tx| {
            async move {
                let rows = query(tx, sql::STREAM_TAKE, &[&name, &created, &behind, &through]).await?;
                let generation: i32 = rows[0].try_get("generation")?;
                execute(tx, sql::STREAM_TAKE_LANES, &[&generation, &lanes, &behind, &through]).await
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }
}

/// Remembers the ids of messages' batches, and notes those that were remembered before.
async fn remember<'a>(
    tx: &Transaction<'_>,
    ring: Ring,
    frames: impl Iterator<Item = &'a Frame>,
) -> Result<(), StoreError> {
    let all: Vec<(i64, i32, Uuid, &Accepted)> = frames
        .flat_map(|frame| {
            let batches = frame.batches.iter().enumerate();
            batches.map(|(place, (id, answer))| (frame.sequence as i64, place as i32, *id, answer))
        })
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    let slots = batch_ids::hold(tx, ring).await?;
    let (mut sequences, mut places) = (Vec::new(), Vec::new());
    for piece in all.chunks(MAX_IDS) {
        // The first of those that stand here twice is the one that may count.
        let mut asked: HashSet<Uuid> = HashSet::with_capacity(piece.len());
        let mut first: Vec<(Uuid, &Accepted)> = Vec::with_capacity(piece.len());
        let mut is_first = Vec::with_capacity(piece.len());
        for (.., id, answer) in piece {
            is_first.push(asked.insert(*id));
            if is_first.last() == Some(&true) {
                first.push((*id, answer));
            }
        }
        let new = batch_ids::insert(tx, slots, &first).await?;
        for ((sequence, place, id, _), is_first) in piece.iter().zip(is_first) {
            if !is_first || !new.contains(id) {
                sequences.push(*sequence);
                places.push(*place);
            }
        }
    }
    if !sequences.is_empty() {
        execute(tx, sql::STREAM_INSERT_REPEATS, &[&sequences, &places]).await?;
    }
    Ok(())
}

/// Locks a lane, and returns where it stands.
pub(super) async fn lock_lane(tx: &Transaction<'_>, lane: u16) -> Result<Option<LanePosition>, StoreError> {
    let rows = query(tx, sql::STREAM_LOCK_LANE, &[&(lane as i16)]).await?;
    let position = |row: &tokio_postgres::Row| {
        Ok(LanePosition {
            generation: row.try_get("generation")?,
            folded: row.try_get::<_, i64>("sequence")? as u64,
            registered: row.try_get::<_, i64>("registered")? as u64,
        })
    };
    rows.first().map(position).transpose()
}

/// Notes in the transaction that folds them through which message a lane is folded. Whoever has moved it meanwhile, and be it a
/// fault of this program, makes the transaction fail.
pub(super) async fn advance_lane(
    tx: &Transaction<'_>,
    lane: u16,
    from: LanePosition,
    through: u64,
    heartbeats: u64,
) -> Result<(), StoreError> {
    let LanePosition { generation, folded, .. } = from;
    let parameters: &[&(dyn ToSql + Sync)] =
        &[&(lane as i16), &generation, &(folded as i64), &(through as i64), &(heartbeats as i64)];
    match execute(tx, sql::STREAM_ADVANCE_LANE, parameters).await? {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(format!("lane {lane} of the stream was folded by somebody else"))),
    }
}

/// Returns the batches of messages that do not count, as an earlier message had them.
pub(super) async fn repeats(
    tx: &Transaction<'_>,
    behind: u64,
    through: u64,
) -> Result<HashSet<(u64, u32)>, StoreError> {
    let rows = query(tx, sql::STREAM_READ_REPEATS, &[&(behind as i64), &(through as i64)]).await?;
    let repeat = |row: &tokio_postgres::Row| {
        Ok((row.try_get::<_, i64>("sequence")? as u64, row.try_get::<_, i32>("batch")? as u32))
    };
    rows.iter().map(repeat).collect()
}

/// A part of a video that is to be forgotten.
pub(super) struct Forgotten {
    video_id: String,
    part: Part,
    through: u64,
}

/// Returns what is to be forgotten of the messages behind one.
pub(super) async fn forgotten(tx: &Transaction<'_>, behind: u64) -> Result<Vec<Forgotten>, StoreError> {
    let rows = query(tx, sql::STREAM_READ_FORGOTTEN, &[&(behind as i64)]).await?;
    let forgotten = |row: &tokio_postgres::Row| {
        let region: Option<&str> = row.try_get("region")?;
        let region = region.map(Region::parse).transpose();
        Ok(Forgotten {
            video_id: row.try_get("video_id")?,
            part: Part {
                day: row.try_get("captured_on")?,
                region: region.map_err(|_| StoreError::Fault("a forgotten region that is none".into()))?,
                after_sec: row.try_get("after_sec")?,
            },
            through: row.try_get::<_, i64>("through")? as u64,
        })
    };
    rows.iter().map(forgotten).collect()
}

/// Leaves out what is to be forgotten; what cannot be read stays as it is, for the fold to set it aside.
pub(super) fn without_forgotten(
    sequence: u64,
    heartbeats: HashedHeartbeats,
    forgotten: &[Forgotten],
) -> HashedHeartbeats {
    if forgotten.iter().all(|one| one.through < sequence) {
        return heartbeats;
    }
    let Ok(entries) = heartbeats.entries().collect::<Result<Vec<_>, _>>() else { return heartbeats };
    if entries.len() != heartbeats.len() {
        return heartbeats;
    }
    entries.into_iter().filter_map(|entry| left_of(sequence, entry, forgotten)).collect()
}

fn left_of<'a>(sequence: u64, entry: Entry<'a>, forgotten: &[Forgotten]) -> Option<Entry<'a>> {
    let covers = |one: &&Forgotten| sequence <= one.through && entry.video_id() == one.video_id;
    forgotten.iter().filter(covers).try_fold(entry, |entry, one| one.part.leaves(entry))
}

/// Notes that what the stream holds of a part of a video through a message is to be forgotten.
pub(in crate::queue) async fn forget(
    tx: &Transaction<'_>,
    video_id: &str,
    part: &Part,
    through: u64,
) -> Result<(), StoreError> {
    let region = part.region.as_ref().map(Region::as_str);
    let parameters: &[&(dyn ToSql + Sync)] =
        &[&video_id, &part.day, &region, &part.after_sec, &(through as i64)];
    execute(tx, sql::STREAM_FORGET, parameters).await?;
    Ok(())
}
