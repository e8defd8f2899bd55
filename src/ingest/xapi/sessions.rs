//! The sessions of one pass over the statements, as many as fit into the memory.
//!
//! A session has a place among 2¹²⁸, by the hash of what names it, and a pass keeps those from one place on. When there are too
//! many, the last ones go and are left to the next pass, which begins at the first of them: whatever is kept has seen every
//! line. Which ones go in the end does not depend on the order of the lines, as sessions only grow.

use std::collections::{BTreeMap, btree_map::Entry};

use blake2::{Blake2b, Digest, digest::consts::U16};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::Serialize;

use crate::events::heartbeat::MAX_SECONDS_PER_HEARTBEAT;

/// A session takes about this much memory beside its texts: its place in the tree, in the list that is sorted, and its first
/// segments.
const SESSION_BYTES: usize = 512;
/// A segment takes about this much, in a tree that is half full.
const SEGMENT_BYTES: usize = 48;

/// A statement is about one viewer playing one video in one session. There is no `Debug`, because this holds a viewer
/// id.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub video_id: String,
    pub viewer_id: String,
    pub session: SessionId,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SessionId {
    /// The player named the session.
    Named(String),
    /// The player names no sessions, so a session is all that a viewer does with a video on one UTC day.
    Day(NaiveDate),
}

impl Key {
    /// Returns the place of the session. Two never share one, as with every id that is made by this hash.
    fn place(&self) -> u128 {
        let mut hasher = Blake2b::<U16>::new();
        let mut text = |text: &str| {
            hasher.update(text.len().to_be_bytes());
            hasher.update(text);
        };
        text(&self.video_id);
        text(&self.viewer_id);
        match &self.session {
            SessionId::Named(name) => text(name),
            // No text is followed by so few bytes.
            SessionId::Day(day) => hasher.update(day.num_days_from_ce().to_be_bytes()),
        }
        u128::from_be_bytes(hasher.finalize().into())
    }

    fn bytes(&self) -> usize {
        let name = match &self.session {
            SessionId::Named(name) => name.len(),
            SessionId::Day(_) => 0,
        };
        self.video_id.len() + self.viewer_id.len() + name
    }
}

pub(super) struct Session {
    earliest: DateTime<Utc>,
    /// Maps the start of a segment to the longest end seen. Starts are told apart by value, so `0` and `0.000` are one;
    /// the bits of floats that are not negative sort as the floats do.
    played: BTreeMap<u64, f64>,
}

impl Session {
    /// Tells what was watched, a JSON text a heartbeat.
    pub fn heartbeats(self, key: Key) -> impl Iterator<Item = String> {
        // A segment's own time is not known, but the session's is in the right day and never ahead of the file.
        let at = self.earliest.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let pieces = self.played.into_iter().flat_map(|(start, end)| {
            // `[start, end)` covers the seconds whose middle is in it; `round` goes half away from zero.
            let (start, end) = (f64::from_bits(start).round() as i64, end.round() as i64);
            let starts = (start..end).step_by(MAX_SECONDS_PER_HEARTBEAT as usize);
            starts.map(move |start| (start, end.min(start + MAX_SECONDS_PER_HEARTBEAT) - 1))
        });
        pieces.map(move |(start_sec, end_sec)| {
            let Key { video_id, viewer_id, .. } = &key;
            let heartbeat = Heartbeat { video_id, start_sec, end_sec, viewer_id, at: &at };
            serde_json::to_string(&heartbeat).expect("texts and integers always serialize")
        })
    }
}

/// A heartbeat on the wire. Its region is left to whoever replays.
#[derive(Serialize)]
struct Heartbeat<'a> {
    video_id: &'a str,
    start_sec: i64,
    end_sec: i64,
    viewer_id: &'a str,
    at: &'a str,
}

/// The sessions of one pass.
pub(super) struct Sessions {
    memory: usize,
    from: u128,
    /// The first place that is left to the next pass.
    rest: Option<u128>,
    kept: BTreeMap<u128, (Key, Session)>,
    /// The memory that they take, about.
    bytes: usize,
}

impl Sessions {
    /// Begins a pass that keeps the sessions from a place on, within so many bytes.
    pub fn new(from: u128, memory: usize) -> Self {
        Sessions { memory, from, rest: None, kept: BTreeMap::new(), bytes: 0 }
    }

    /// Adds a statement to its session, which is dated no later than `at`, unless the session is another pass's.
    pub fn add(&mut self, key: Key, at: DateTime<Utc>, segments: &[(f64, f64)]) {
        let place = key.place();
        if place < self.from || self.rest.is_some_and(|rest| place >= rest) {
            return;
        }
        let (_, session) = match self.kept.entry(place) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                self.bytes += SESSION_BYTES + key.bytes();
                entry.insert((key, Session { earliest: at, played: BTreeMap::new() }))
            }
        };
        session.earliest = session.earliest.min(at);
        let before = session.played.len();
        for &(start, end) in segments {
            let longest = session.played.entry(start.to_bits()).or_insert(end);
            *longest = longest.max(end);
        }
        self.bytes += (session.played.len() - before) * SEGMENT_BYTES;
        self.shed();
    }

    /// Leaves the last sessions to the next pass, until the others fit. One is always kept, so that each pass gets on.
    fn shed(&mut self) {
        while self.bytes > self.memory && self.kept.len() > 1 {
            let Some((place, (key, session))) = self.kept.pop_last() else { return };
            self.bytes -= SESSION_BYTES + key.bytes() + session.played.len() * SEGMENT_BYTES;
            self.rest = Some(place);
        }
    }

    /// Returns the place at which the next pass begins, if there has to be one.
    pub fn rest(&self) -> Option<u128> {
        self.rest
    }

    /// Returns the sessions by day, and those of a day by their keys: a day is a partition.
    pub fn sorted(self) -> Vec<(Key, Session)> {
        let mut sessions: Vec<_> = self.kept.into_values().collect();
        sessions.sort_unstable_by(|(key, session), (other_key, other)| {
            let day = |session: &Session| session.earliest.date_naive();
            (day(session), key).cmp(&(day(other), other_key))
        });
        sessions
    }
}

#[cfg(test)]
mod tests;
