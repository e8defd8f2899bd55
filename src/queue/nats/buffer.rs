//! Messages that are read and not folded yet, by lane.
//!
//! A message holds entries of many lanes, and lanes are folded one by one: so the stream is read once, and each lane has what is
//! its own here. Where a lane stands is said by the database alone; the buffer knows of what it holds from where on it is
//! complete, and gives nothing out otherwise.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{group, stream::Message};
use crate::{
    events::hashed::HashedHeartbeats,
    queue::{
        batch_ids::{Accepted, Ring},
        claim::Window,
    },
};

/// With more than this no more is read.
pub const MAX_BYTES: usize = 48 << 20;
/// A lane that holds as much on its own is stuck, or gets most of the traffic: the others are read on, and what it has behind
/// that is read again when it gets there.
const MAX_LANE_BYTES: usize = MAX_BYTES / 4;

/// How far the database says that the stream is read and folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub name: String,
    pub created: String,
    pub generation: i32,
    /// The last message whose batch ids were looked at.
    pub registered: u64,
    /// The id of that message.
    pub registered_message: Option<String>,
    /// The messages through which each lane is folded.
    pub lanes: Vec<u64>,
    /// Heartbeats and views of registered messages that are not folded.
    pub waiting: u64,
}

impl Position {
    /// Returns the message through which all lanes are folded.
    pub fn folded(&self) -> u64 {
        self.lanes.iter().copied().min().unwrap_or(0)
    }
}

/// A message without its entries: what has to be registered.
#[derive(Debug, Clone)]
pub struct Frame {
    pub sequence: u64,
    pub id: String,
    pub at: DateTime<Utc>,
    pub ring: Ring,
    pub batches: Vec<(Uuid, Accepted)>,
    pub heartbeats: u64,
    /// The message itself, if nobody can read it.
    pub unreadable: Option<Vec<u8>>,
}

/// What a lane has in a message.
#[derive(Debug)]
struct Section {
    sequence: u64,
    at: DateTime<Utc>,
    parts: Vec<(Option<u32>, HashedHeartbeats)>,
    heartbeats: u64,
    bytes: usize,
}

/// A lane and what it holds: all that it has in the messages behind `from` through `through`.
#[derive(Debug, Default)]
struct Lane {
    from: u64,
    through: u64,
    /// True if messages were read behind `through`.
    is_cut: bool,
    sections: VecDeque<Section>,
    heartbeats: u64,
    bytes: usize,
}

/// What a lane gives to be folded.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// The message through which the lane is folded then.
    pub through: u64,
    /// The message, the place of the batch in it, and its entries.
    pub parts: Vec<(u64, Option<u32>, HashedHeartbeats)>,
    /// How many entries there are.
    pub heartbeats: u64,
}

/// What is read of a stream.
#[derive(Debug, Default)]
pub struct Buffer {
    generation: i32,
    /// The message that is read next.
    next: u64,
    registered: u64,
    unregistered: VecDeque<Frame>,
    lanes: Vec<Lane>,
    bytes: usize,
    stale: bool,
}

impl Buffer {
    /// Returns an empty one that begins where the lanes stand.
    pub fn begin(position: &Position) -> Buffer {
        let next = position.folded() + 1;
        let lane = |&from: &u64| Lane { from, through: from.max(next - 1), ..Lane::default() };
        Buffer {
            generation: position.generation,
            next,
            registered: position.registered,
            lanes: position.lanes.iter().map(lane).collect(),
            ..Buffer::default()
        }
    }

    /// The message that is read next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// True if it does not hold what the database says is not folded, and has to begin anew.
    pub fn is_stale(&self, position: &Position) -> bool {
        self.stale
            || self.generation != position.generation
            || self.lanes.len() != position.lanes.len()
            // It was not begun, or others are further and have removed what it would read next.
            || self.next <= position.folded()
            // The database was restored, or lost its last moments.
            || position.registered < self.registered
            || self.lanes.iter().zip(&position.lanes).any(|(lane, &folded)| folded < lane.from)
    }

    /// True if no more is to be read for now.
    pub fn is_full(&self) -> bool {
        self.bytes >= MAX_BYTES
    }

    /// Has it begin anew with the next look.
    pub fn set_stale(&mut self) {
        self.stale = true;
    }

    /// Notes how far the database is.
    pub fn note(&mut self, position: &Position) {
        self.registered = position.registered;
        while self.unregistered.pop_front_if(|frame| frame.sequence <= position.registered).is_some() {}
        for (lane, &folded) in self.lanes.iter_mut().zip(&position.lanes) {
            self.bytes -= lane.drop_through(folded);
            lane.is_cut &= lane.through + 1 < self.next;
        }
    }

    /// Adds the message that comes next.
    pub fn push(&mut self, message: Message) {
        debug_assert_eq!(message.sequence, self.next, "messages are read in their order");
        let Message { sequence, id, at, payload } = message;
        self.next = sequence + 1;
        let lanes = self.lanes.len();
        let read = group::decode(&payload)
            .ok()
            .filter(|group| group.parts.iter().all(|part| usize::from(part.lane) < lanes));
        let (ring, batches, parts, unreadable) = match read {
            Some(group) => (group.ring, group.batches, group.parts, None),
            None => (Ring::Http, Vec::new(), Vec::new(), Some(payload.to_vec())),
        };
        let heartbeats = parts.iter().map(|part| part.heartbeats.len() as u64).sum();
        if sequence > self.registered {
            let frame = Frame { sequence, id, at, ring, batches, heartbeats, unreadable };
            self.unregistered.push_back(frame);
        }
        for (number, section) in sections(sequence, at, parts) {
            let lane = &mut self.lanes[usize::from(number)];
            lane.is_cut |= lane.bytes >= MAX_LANE_BYTES;
            if !lane.is_cut && sequence > lane.through {
                self.bytes += lane.push(section);
            }
        }
        for lane in self.lanes.iter_mut().filter(|lane| !lane.is_cut) {
            lane.through = lane.through.max(sequence);
        }
    }

    /// Lanes that hold less than what is read, and nothing to fold: from which message on each has to be read again.
    pub fn cut_lanes(&self) -> Vec<(u16, u64)> {
        let cut = |(number, lane): (usize, &Lane)| {
            (lane.is_cut && lane.sections.is_empty()).then_some((number as u16, lane.through + 1))
        };
        self.lanes.iter().enumerate().filter_map(cut).collect()
    }

    /// Adds messages that were read again for a lane.
    pub fn push_again(&mut self, number: u16, messages: Vec<Message>) {
        let Some(lane) = self.lanes.get_mut(usize::from(number)) else { return };
        for message in messages {
            if message.sequence != lane.through + 1 || message.sequence >= self.next {
                return;
            }
            let parts = group::decode(&message.payload).map_or_else(|_| Vec::new(), |group| group.parts);
            for (found, section) in sections(message.sequence, message.at, parts) {
                if found == number {
                    self.bytes += lane.push(section);
                }
            }
            lane.through = message.sequence;
            lane.is_cut = lane.through + 1 < self.next;
        }
    }

    /// The messages that are to be registered next, the first of them.
    pub fn unregistered(&self, most: usize) -> Vec<Frame> {
        self.unregistered.iter().take(most).cloned().collect()
    }

    /// Lanes that are worth a step, with the first message in which they have something, the longest waiting first.
    pub fn ripe_lanes(&self, accepted_by: DateTime<Utc>, heartbeats: u64) -> Vec<(u16, u64)> {
        let ripe = |(number, lane): (usize, &Lane)| {
            let first = lane.sections.front().filter(|first| first.sequence <= self.registered)?;
            (first.at <= accepted_by || lane.heartbeats >= heartbeats)
                .then_some((number as u16, first.sequence))
        };
        let mut ripe: Vec<_> = self.lanes.iter().enumerate().filter_map(ripe).collect();
        ripe.sort_by_key(|&(_, sequence)| sequence);
        ripe
    }

    /// Lanes that have nothing in the messages that are registered, how far each is folded, and through which message.
    pub fn idle_lanes(&self, position: &Position) -> (Vec<(u16, u64)>, u64) {
        let through = self.registered.min(self.next.saturating_sub(1));
        let idle = |(number, (lane, &folded)): (usize, (&Lane, &u64))| {
            let is_idle = lane.through >= through
                && folded < through
                && lane.sections.front().is_none_or(|first| first.sequence > through);
            is_idle.then_some((number as u16, folded))
        };
        let lanes = self.lanes.iter().zip(&position.lanes).enumerate().filter_map(idle).collect();
        (lanes, through)
    }

    /// What a lane has behind a message, as much as fits into a window, and at least one message.
    pub fn take(
        &mut self,
        number: u16,
        generation: i32,
        (folded, registered): (u64, u64),
        window: &Window,
    ) -> Option<Taken> {
        let lane = self.lanes.get_mut(usize::from(number))?;
        if generation != self.generation || folded < lane.from || folded > lane.through {
            self.stale = generation != self.generation || folded < lane.from;
            return None;
        }
        self.bytes -= lane.drop_through(folded);
        let end = registered.min(lane.through);
        let mut taken = Taken { through: end, parts: Vec::new(), heartbeats: 0 };
        let (mut watched_secs, mut messages) = (0, 0);
        for section in lane.sections.iter().take_while(|section| section.sequence <= end) {
            if taken.heartbeats >= window.heartbeats
                || watched_secs >= window.watched_secs
                || messages >= window.rows
            {
                taken.through = section.sequence - 1;
                break;
            }
            messages += 1;
            taken.heartbeats += section.heartbeats;
            for (batch, heartbeats) in &section.parts {
                watched_secs += heartbeats.watched_secs();
                taken.parts.push((section.sequence, *batch, heartbeats.clone()));
            }
        }
        (taken.through > folded).then_some(taken)
    }
}

impl Lane {
    fn push(&mut self, section: Section) -> usize {
        let bytes = section.bytes;
        self.heartbeats += section.heartbeats;
        self.bytes += bytes;
        self.sections.push_back(section);
        bytes
    }

    /// Drops what is folded; returns how many bytes.
    fn drop_through(&mut self, folded: u64) -> usize {
        let mut dropped = 0;
        while let Some(section) = self.sections.pop_front_if(|section| section.sequence <= folded) {
            self.heartbeats -= section.heartbeats;
            dropped += section.bytes;
        }
        self.bytes -= dropped;
        self.from = self.from.max(folded);
        self.through = self.through.max(folded);
        dropped
    }
}

/// What each lane has in a message; the parts stand in the order of their lanes.
fn sections(sequence: u64, at: DateTime<Utc>, parts: Vec<group::Part>) -> Vec<(u16, Section)> {
    let mut sections: Vec<(u16, Section)> = Vec::new();
    for group::Part { lane, batch, heartbeats } in parts {
        if sections.last().is_none_or(|(last, _)| *last != lane) {
            sections.push((lane, Section { sequence, at, parts: Vec::new(), heartbeats: 0, bytes: 0 }));
        }
        let (_, section) = sections.last_mut().expect("one was just pushed");
        section.heartbeats += heartbeats.len() as u64;
        section.bytes += heartbeats.as_bytes().len();
        section.parts.push((batch, heartbeats));
    }
    sections
}

#[cfg(test)]
mod tests;
