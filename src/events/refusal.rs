//! Why an element is refused: a closed list of reasons that clients may match on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a heartbeat was refused. The list is closed, because clients match on these names; docs/api.md says what each
/// means.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Malformed,
    Missing,
    WrongType,
    Empty,
    TooLong,
    ControlCharacter,
    BadFormat,
    Reserved,
    OutOfRange,
    EndBeforeStart,
    TooManySeconds,
    TooOld,
    InFuture,
    BadToken,
    NotAllowed,
}

impl Reason {
    /// The closed list.
    pub const ALL: [Reason; 15] = [
        Reason::Malformed,
        Reason::Missing,
        Reason::WrongType,
        Reason::Empty,
        Reason::TooLong,
        Reason::ControlCharacter,
        Reason::BadFormat,
        Reason::Reserved,
        Reason::OutOfRange,
        Reason::EndBeforeStart,
        Reason::TooManySeconds,
        Reason::TooOld,
        Reason::InFuture,
        Reason::BadToken,
        Reason::NotAllowed,
    ];

    /// The name as it stands in answers, metrics and summaries.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Malformed => "malformed",
            Reason::Missing => "missing",
            Reason::WrongType => "wrong_type",
            Reason::Empty => "empty",
            Reason::TooLong => "too_long",
            Reason::ControlCharacter => "control_character",
            Reason::BadFormat => "bad_format",
            Reason::Reserved => "reserved",
            Reason::OutOfRange => "out_of_range",
            Reason::EndBeforeStart => "end_before_start",
            Reason::TooManySeconds => "too_many_seconds",
            Reason::TooOld => "too_old",
            Reason::InFuture => "in_future",
            Reason::BadToken => "bad_token",
            Reason::NotAllowed => "not_allowed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is wrong with one heartbeat: the first field at fault, none when it cannot be read as an object at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The field at fault.
    pub field: Option<&'static str>,
    /// What is wrong with it.
    pub reason: Reason,
}

/// An answer lists at most this many refused elements, and nothing keeps more of them.
pub const MAX_LISTED: usize = 100;

/// A list of refused elements that was cut, as it is kept for whoever sends the same batch again.
#[derive(Debug, Serialize, Deserialize)]
pub struct CutList<T> {
    pub listed: T,
    /// How many were refused in all.
    pub total: usize,
}

/// A refused heartbeat, as the answer lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Rejection {
    /// Its place in the body, counted from 0.
    pub index: usize,
    /// The field at fault, `null` when the element is no object.
    pub field: Option<&'static str>,
    /// What is wrong with it.
    pub reason: Reason,
}
