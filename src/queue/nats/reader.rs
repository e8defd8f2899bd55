//! Reads the stream ahead of the fold, and makes sure that it is the one that was read before.

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::{
    buffer::{Buffer, Position},
    stream::{Message, Stream},
};
use crate::{
    postgres::Store,
    queue::{
        QueueError, Ripe,
        batch_ids::{REPLAY_MEMORY, Ring},
    },
};

/// Messages that one transaction registers.
const MAX_REGISTERED: usize = 1_000;

/// What one process has read of the stream.
#[derive(Default)]
pub struct Reader {
    /// Held while the server is asked, so that one at a time reads on.
    reading: Mutex<Reading>,
    /// Locked for moments only: folds take from it while more is read.
    buffer: std::sync::Mutex<Buffer>,
}

#[derive(Default)]
struct Reading {
    /// How often the process had connected when it began to read.
    connects: u64,
}

impl Reader {
    /// Reads on, registers what was read, and returns the lanes that are worth a step with the first message in which they have
    /// something. Somebody else who reads at the moment is not waited for.
    pub async fn ripe_lanes(
        &self,
        store: &Store,
        stream: &Stream,
        now: DateTime<Utc>,
        ripe: Ripe,
    ) -> Result<Vec<(u16, u64)>, QueueError> {
        if let Ok(mut reading) = self.reading.try_lock() {
            self.read_on(&mut reading, store, stream, now).await?;
        }
        Ok(self.lock().ripe_lanes(ripe.accepted_by, ripe.heartbeats))
    }

    /// Returns what is read, locked.
    pub fn lock(&self) -> std::sync::MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    async fn read_on(
        &self,
        reading: &mut Reading,
        store: &Store,
        stream: &Stream,
        now: DateTime<Utc>,
    ) -> Result<(), QueueError> {
        // In this order: what the database has seen of the stream, the stream has.
        let position = position(store, stream).await?;
        let connects = stream.connects();
        let info = stream.info().await?;
        same_stream(&position, &info.created.to_rfc3339(), info.state.last_sequence)?;
        if reading.connects != connects || self.lock().is_stale(&position) {
            not_purged(&position, info.state.first_sequence)?;
            same_history(&position, stream, info.state.first_sequence).await?;
            *self.lock() = Buffer::begin(&position);
            reading.connects = connects;
        }
        self.lock().note(&position);
        loop {
            let (next, is_full) = {
                let buffer = self.lock();
                (buffer.next(), buffer.is_full())
            };
            if is_full || next > info.state.last_sequence {
                break;
            }
            let messages = stream.fetch(next).await?;
            if messages.is_empty() && info.state.first_sequence <= next {
                break;
            }
            if let Some(missing) = missing(next, &messages) {
                return self.explain(missing, store, stream).await;
            }
            let mut buffer = self.lock();
            messages.into_iter().for_each(|message| buffer.push(message));
        }
        let cut = self.lock().cut_lanes();
        for (lane, from) in cut {
            let messages = stream.fetch(from).await?;
            if let Some(missing) = missing(from, &messages) {
                return self.explain(missing, store, stream).await;
            }
            self.lock().push_again(lane, messages);
        }
        self.register(store, &position, info.config.duplicate_window, now).await?;
        let (idle, through) = self.lock().idle_lanes(&position);
        if !idle.is_empty() {
            store.advance_idle_lanes(position.generation, &idle, through).await?;
        }
        Ok(())
    }

    /// Tells why a message is missing: others have folded and removed it since the look began, or it is lost.
    async fn explain(&self, missing: u64, store: &Store, stream: &Stream) -> Result<(), QueueError> {
        self.lock().set_stale();
        if position(store, stream).await?.folded() >= missing {
            return Ok(());
        }
        Err(QueueError::Unsuitable(format!(
            "message {missing} is missing in the stream {}: somebody removed it before it was folded; \
             `heatstrip migrate --take-stream` goes on without it",
            stream.name()
        )))
    }

    /// Registers what was read.
    async fn register(
        &self,
        store: &Store,
        position: &Position,
        dedup_window: std::time::Duration,
        now: DateTime<Utc>,
    ) -> Result<(), QueueError> {
        loop {
            let frames = self.lock().unregistered(MAX_REGISTERED);
            let Some(first) = frames.first() else { return Ok(()) };
            // Ids are forgotten by the time of the messages, and not by that of this look: a batch and its retry may wait here
            // for hours. This host's clock has a say as well, lest the server's alone forget them.
            let at = first.at.min(now);
            store.rotate_batch_ids(Ring::Http, dedup_window, at).await?;
            store.rotate_batch_ids(Ring::Replay, REPLAY_MEMORY, at).await?;
            if store.register(position.generation, &frames, now).await? == 0 {
                // Somebody else is at it: what they have done is seen with the next look.
                return Ok(());
            }
            let Some(position) = store.stream_position().await? else { return Ok(()) };
            self.lock().note(&position);
        }
    }
}

/// Returns how far the stream is read and folded.
pub async fn position(store: &Store, stream: &Stream) -> Result<Position, QueueError> {
    match store.stream_position().await? {
        Some(position) if position.name == stream.name() => Ok(position),
        Some(position) => Err(QueueError::Unsuitable(format!(
            "the database's queue is the stream {} by now: start this process again",
            position.name
        ))),
        None => Err(QueueError::Unsuitable(
            "the database's queue is no stream: run `heatstrip migrate` with HEATSTRIP_QUEUE set, or leave it out".into(),
        )),
    }
}

/// Refuses a stream that was made anew, or that has lost its end: it gives numbers out again that are folded already.
pub fn same_stream(position: &Position, created: &str, last_sequence: u64) -> Result<(), QueueError> {
    let name = &position.name;
    if position.created != created {
        return Err(QueueError::Unsuitable(format!(
            "the stream {name} was made anew at {created}: what was in the one before and not folded is lost; \
             `heatstrip migrate --take-stream` goes on with this one"
        )));
    }
    if last_sequence < position.registered {
        return Err(QueueError::Unsuitable(format!(
            "the stream {name} ends with message {last_sequence}, and {} was read before: the server has lost its end \
             (is sync_interval: always set?) or another is leading that lags; if it stays so, \
             `heatstrip migrate --take-stream` goes on with what there is",
            position.registered
        )));
    }
    Ok(())
}

/// Refuses a stream that lacks messages that are not folded.
fn not_purged(position: &Position, first_sequence: u64) -> Result<(), QueueError> {
    let next = position.folded() + 1;
    if first_sequence > next {
        return Err(QueueError::Unsuitable(format!(
            "messages {next} to {} of the stream {} were removed before they were folded here: somebody purged it, or this \
             database is an older copy; `heatstrip migrate --take-stream` goes on without them",
            first_sequence - 1,
            position.name
        )));
    }
    Ok(())
}

/// Refuses a stream in which another message stands where one was read before.
async fn same_history(position: &Position, stream: &Stream, first_sequence: u64) -> Result<(), QueueError> {
    let Some(known) = &position.registered_message else { return Ok(()) };
    if first_sequence > position.registered {
        // Everything was folded, and somebody purged it.
        return Ok(());
    }
    let found = stream.fetch_one(position.registered).await?;
    if found.is_none_or(|message| message.sequence != position.registered || message.id != *known) {
        return Err(QueueError::Unsuitable(format!(
            "message {} of the stream {} is not the one that was read before: the stream was restored from an older copy, or \
             the server lost its end and wrote it anew (is sync_interval: always set?); `heatstrip migrate --take-stream` \
             goes on with what there is",
            position.registered, position.name
        )));
    }
    Ok(())
}

/// The first message that is missing from a sequence on, if any is.
fn missing(from: u64, messages: &[Message]) -> Option<u64> {
    match messages {
        [] => Some(from),
        _ => {
            (from..).zip(messages).find(|(expected, message)| message.sequence != *expected).map(|(it, _)| it)
        }
    }
}
