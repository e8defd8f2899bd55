//! Applies a group of elements to its counters: each in its order, on the state that the one before left. Pure.
//!
//! The state is that of locked rows, so that what comes out here is what is committed.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{element::Element, kinds::Mode};

/// The outcome of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// There is a new record.
    Created,
    /// A member was on and is off.
    Removed,
    /// The member was on already, or this `id` was seen with the same content: nothing was done.
    Exists,
    /// The member was not on: nothing was done.
    Absent,
    /// This `id` was seen with other content: nothing was done.
    Conflict,
}

impl Status {
    /// The closed list.
    pub const ALL: [Status; 5] =
        [Status::Created, Status::Removed, Status::Exists, Status::Absent, Status::Conflict];

    /// The name as it stands in answers and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::Removed => "removed",
            Status::Exists => "exists",
            Status::Absent => "absent",
            Status::Conflict => "conflict",
        }
    }
}

/// The answer to an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The outcome of the element.
    pub status: Status,
    /// The counter's total after it.
    pub total: i64,
    /// The record it made, removed or found.
    pub seq: Option<i64>,
}

/// The total would not fit into 64 bits: nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow;

/// A counter's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    pub total: i64,
    /// The highest seq given.
    pub last_seq: i64,
    /// Through which seq records are packed.
    pub packed_seq: i64,
}

/// A member who is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub seq: i64,
    pub at: DateTime<Utc>,
}

/// An id that is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// A hash of what came with the id.
    pub content: i64,
    /// The seq it was answered with.
    pub seq: Option<i64>,
}

/// An element with its names resolved.
#[derive(Debug, Clone, Copy)]
pub struct Resolved<'a> {
    pub counter: i64,
    pub member: i64,
    pub element: &'a Element,
}

/// A record of a kind of mode `count` or `signed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    pub counter: i64,
    pub seq: i64,
    pub member: i64,
    pub at: DateTime<Utc>,
    /// The change of the total.
    pub delta: i32,
}

/// The rows a group found and how it leaves them.
#[derive(Debug, Default)]
pub struct Ledger {
    counters: BTreeMap<i64, (Counter, Counter)>,
    marks: HashMap<(i64, i64), (Option<Mark>, Option<Mark>)>,
    known: HashMap<Uuid, Known>,
    new_ids: BTreeMap<Uuid, Known>,
    events: Vec<Event>,
    /// Counters of mode `count` with new records.
    counted: HashSet<i64>,
}

impl Ledger {
    /// Over locked counters, the marks of the pairs in question, and those of the ids that are remembered.
    pub fn new(
        counters: impl IntoIterator<Item = (i64, Counter)>,
        marks: impl IntoIterator<Item = ((i64, i64), Mark)>,
        known: impl IntoIterator<Item = (Uuid, Known)>,
    ) -> Self {
        Ledger {
            counters: counters.into_iter().map(|(counter, row)| (counter, (row, row))).collect(),
            marks: marks.into_iter().map(|(pair, mark)| (pair, (Some(mark), Some(mark)))).collect(),
            known: known.into_iter().collect(),
            ..Ledger::default()
        }
    }

    /// Applies an element whose counter is among those of this ledger.
    pub fn apply(&mut self, resolved: Resolved<'_>) -> Result<Outcome, Overflow> {
        let Resolved { counter, member, element } = resolved;
        let (_, row) = self.counters.get_mut(&counter).expect("the counters of a group are locked");
        if let Some(id) = element.id
            && let Some(known) = self.known.get(&id.id)
        {
            let same = known.content == id.content;
            let status = if same { Status::Exists } else { Status::Conflict };
            return Ok(Outcome { status, total: row.total, seq: known.seq.filter(|_| same) });
        }
        let (status, seq) = match element.mode {
            Mode::Set => {
                let (_, mark) = self.marks.entry((counter, member)).or_insert((None, None));
                match (*mark, element.delta > 0) {
                    (Some(on), true) => (Status::Exists, Some(on.seq)),
                    (None, false) => (Status::Absent, None),
                    (Some(on), false) => {
                        row.total = row.total.checked_sub(1).ok_or(Overflow)?;
                        *mark = None;
                        (Status::Removed, Some(on.seq))
                    }
                    (None, true) => {
                        let seq = row.next(1)?;
                        *mark = Some(Mark { seq, at: element.at });
                        (Status::Created, Some(seq))
                    }
                }
            }
            Mode::Count | Mode::Signed => {
                let seq = row.next(element.delta)?;
                let delta = i32::try_from(element.delta).expect("deltas are bounded");
                self.events.push(Event { counter, seq, member, at: element.at, delta });
                if element.mode == Mode::Count {
                    self.counted.insert(counter);
                }
                (Status::Created, Some(seq))
            }
        };
        let outcome = Outcome { status, total: row.total, seq };
        if let Some(id) = element.id {
            // An element that did nothing is remembered too: a late retry of a like must not undo the unlike that came
            // meanwhile.
            let known = Known { content: id.content, seq };
            self.known.insert(id.id, known);
            self.new_ids.insert(id.id, known);
        }
        Ok(outcome)
    }

    /// Returns the rows that have to be written.
    pub fn changes(self) -> Changes {
        let mut changes = Changes { events: self.events, ids: self.new_ids, ..Changes::default() };
        for (counter, (before, after)) in self.counters {
            if before != after {
                changes.counters.push((counter, after));
            }
            if self.counted.contains(&counter) && fills_block(&before, &after) {
                changes.packable.push(counter);
            }
        }
        for (pair, (before, after)) in self.marks {
            if before == after {
                continue;
            }
            if let Some(mark) = before {
                changes.unmarked.push((pair.0, mark.seq));
            }
            if let Some(mark) = after {
                changes.marked.push((pair, mark));
            }
        }
        // Rows are written in the order of the tables' keys, and a hash map has none.
        changes.unmarked.sort_unstable();
        changes.marked.sort_unstable_by_key(|((counter, _), mark)| (*counter, mark.seq));
        changes
    }
}

impl Counter {
    /// Changes the total for one more record; returns its place.
    fn next(&mut self, delta: i64) -> Result<i64, Overflow> {
        self.total = self.total.checked_add(delta).ok_or(Overflow)?;
        self.last_seq += 1;
        Ok(self.last_seq)
    }
}

/// Returns true once a block for every block's worth of records outside of blocks: then the night has to be told.
fn fills_block(before: &Counter, after: &Counter) -> bool {
    let blocks = |row: &Counter| (row.last_seq - row.packed_seq) / super::block::MIN_RECORDS as i64;
    blocks(after) > blocks(before)
}

/// The rows that a group changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Counters, as they are now.
    pub counters: Vec<(i64, Counter)>,
    /// Marks that go, by counter and seq.
    pub unmarked: Vec<(i64, i64)>,
    /// Marks that come, by counter and member.
    pub marked: Vec<((i64, i64), Mark)>,
    /// Records that come.
    pub events: Vec<Event>,
    /// Ids to remember.
    pub ids: BTreeMap<Uuid, Known>,
    /// Counters the night has to look at.
    pub packable: Vec<i64>,
}

#[cfg(test)]
mod tests;
