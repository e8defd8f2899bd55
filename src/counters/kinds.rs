//! Kinds: what is counted, by name, and how. Pure.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// Number of a kind in the tables.
pub type KindId = i16;

/// The largest delta of one element of a `signed` kind, in either direction.
pub const MAX_DELTA: i64 = 1_000_000;

/// How a kind counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// On or off a member: a like.
    Set,
    /// It counts as often as it happens, 1 or -1: a share.
    Count,
    /// It counts as often as it happens, by a bounded delta: points.
    Signed,
}

impl Mode {
    /// All of them.
    pub const ALL: [Mode; 3] = [Mode::Set, Mode::Count, Mode::Signed];

    /// The name as it stands in the table and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Set => "set",
            Mode::Count => "count",
            Mode::Signed => "signed",
        }
    }

    /// Returns true if an element may carry this delta.
    pub fn takes(self, delta: i64) -> bool {
        match self {
            Mode::Set | Mode::Count => delta.abs() == 1,
            Mode::Signed => (-MAX_DELTA..=MAX_DELTA).contains(&delta),
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Mode::ALL.into_iter().find(|mode| mode.name() == text);
        known.ok_or_else(|| format!("{text:?} is no mode: set, count or signed"))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    pub id: KindId,
    pub name: String,
    pub mode: Mode,
}

/// The kinds there are. Kinds are only ever added, so that what is known stays true.
#[derive(Debug, Default)]
pub struct Kinds {
    by_name: BTreeMap<String, Kind>,
    by_id: BTreeMap<KindId, Kind>,
}

impl Kinds {
    /// Makes the list of these kinds.
    pub fn new(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut all = Kinds::default();
        for kind in kinds {
            all.by_name.insert(kind.name.clone(), kind.clone());
            all.by_id.insert(kind.id, kind);
        }
        all
    }

    /// Returns the kind of this name.
    pub fn named(&self, name: &str) -> Option<&Kind> {
        self.by_name.get(name)
    }

    /// Returns the kind of this number.
    pub fn numbered(&self, id: KindId) -> Option<&Kind> {
        self.by_id.get(&id)
    }

    /// Returns all kinds, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.by_name.values()
    }
}

/// Returns why a kind cannot have this name, or none if it can.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(is_plain)
    {
        true => Ok(()),
        false => Err("a kind's name is 1 to 64 of a-z, 0-9 and _, and begins with a letter".to_owned()),
    }
}
