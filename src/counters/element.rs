//! An element of `POST /v1/counts`: raw JSON becomes an [`Element`] here, checked against every bound, or is refused. Pure.

use blake2::{
    Blake2b, Digest,
    digest::consts::{U8, U16},
};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::kinds::{KindId, Kinds, Mode};
use crate::events::{
    fields::{bounded_text, check_age, instant, number, optional, required},
    refusal::{Reason, Refusal},
};

/// The longest object type and object id, in bytes.
pub const MAX_OBJECT_BYTES: usize = 128;
/// The longest member id, in bytes.
pub const MAX_MEMBER_ID_BYTES: usize = 256;
/// The longest id of an element, in bytes.
pub const MAX_ID_BYTES: usize = 128;

/// The counter an element is for, by name. Ordered, as everybody who makes counters makes them in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterName {
    /// The sort of thing that is counted on, such as `post`.
    pub object_type: String,
    pub object_id: String,
    pub kind: KindId,
}

/// The id an element is remembered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementId {
    /// BLAKE2b-128 of the id.
    pub id: Uuid,
    /// BLAKE2b-64 of the id and of all it came with but the time: a retry may be stamped anew.
    pub content: i64,
}

/// A parsed, bounds-checked element.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    pub counter: CounterName,
    pub mode: Mode,
    pub member_id: String,
    /// The change of the total.
    pub delta: i64,
    /// When, in whole milliseconds.
    pub at: DateTime<Utc>,
    /// The id it is remembered by; none if its sender gave none.
    pub id: Option<ElementId>,
}

impl std::fmt::Debug for Element {
    /// Without the member: no log names people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Element").field("counter", &self.counter).field("delta", &self.delta).finish()
    }
}

/// The elements of one body have this in common.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Our clock when they arrived.
    pub now: DateTime<Utc>,
    /// How old `at` may be; none for imports.
    pub max_age: Option<TimeDelta>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    member_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    object_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    object_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
}

/// Returns true if an element was refused for a kind that is not known: then the kinds are worth another look.
pub fn is_unknown_kind(refusal: &Refusal) -> bool {
    *refusal == Refusal { field: Some("kind"), reason: Reason::OutOfRange }
}

/// Reads one JSON object as an element, or says what is wrong with it.
pub fn parse(element: &str, kinds: &Kinds, arrival: Arrival) -> Result<Element, Refusal> {
    let malformed = Refusal { field: None, reason: Reason::Malformed };
    // Serde would also take an array of the fields in order.
    if !element.trim_ascii_start().starts_with('{') {
        return Err(malformed);
    }
    let fields: Fields<'_> = serde_json::from_str(element).map_err(|_| malformed)?;

    let member_id =
        required("member_id", fields.member_id, |raw| bounded_text(raw, MAX_MEMBER_ID_BYTES))?.into_owned();
    let object_type = required("object_type", fields.object_type, object_type)?;
    let object_id =
        required("object_id", fields.object_id, |raw| bounded_text(raw, MAX_OBJECT_BYTES))?.into_owned();
    let kind = required("kind", fields.kind, |raw| {
        let name = bounded_text(raw, MAX_OBJECT_BYTES)?;
        kinds.named(&name).ok_or(Reason::OutOfRange)
    })?;
    let delta = optional("delta", fields.delta, |raw| {
        let delta = whole(raw)?;
        if kind.mode.takes(delta) { Ok(delta) } else { Err(Reason::OutOfRange) }
    })?
    .unwrap_or(1);
    let at = optional("at", fields.at, |raw| {
        let at = instant(raw)?;
        check_age(at, arrival.now, arrival.max_age)?;
        Ok(at)
    })?
    .unwrap_or(arrival.now);
    let id = optional("id", fields.id, |raw| bounded_text(raw, MAX_ID_BYTES))?;

    let counter = CounterName { object_type, object_id, kind: kind.id };
    Ok(Element {
        id: id.map(|id| remembered(&id, &member_id, &counter, delta)),
        mode: kind.mode,
        // A sender's clock may run ahead, but nothing happens in the future.
        at: at.min(arrival.now).trunc_subsecs(3),
        counter,
        member_id,
        delta,
    })
}

/// An object's type: bounded as an id, and without the colon that stands between type and id in addresses.
pub fn check_object_type(text: &str) -> Result<(), Reason> {
    crate::events::fields::check_id(text, MAX_OBJECT_BYTES)?;
    if text.contains(':') { Err(Reason::BadFormat) } else { Ok(()) }
}

fn object_type(raw: &RawValue) -> Result<String, Reason> {
    let text = bounded_text(raw, MAX_OBJECT_BYTES)?.into_owned();
    check_object_type(&text)?;
    Ok(text)
}

/// A whole number; `1.0` and `1e0` are whole too.
fn whole(raw: &RawValue) -> Result<i64, Reason> {
    let value = number(raw)?;
    if value.is_finite() && value.fract() != 0.0 {
        return Err(Reason::WrongType);
    }
    // Beyond what a float holds exactly no delta is taken anyway.
    if value.abs() > 1e15 {
        return Err(Reason::OutOfRange);
    }
    Ok(value as i64)
}

/// Returns the hashes that an element with this id is remembered by.
pub fn remembered(id: &str, member_id: &str, counter: &CounterName, delta: i64) -> ElementId {
    let mut content = Blake2b::<U8>::new();
    for text in [id, member_id, &counter.object_type, &counter.object_id] {
        // Lengths in front, so that no two choices give the same bytes.
        content.update((text.len() as u64).to_be_bytes());
        content.update(text);
    }
    content.update(counter.kind.to_be_bytes());
    content.update(delta.to_be_bytes());
    ElementId { id: name_key(id), content: i64::from_be_bytes(content.finalize().into()) }
}

/// BLAKE2b-128 of a name.
pub fn name_key(name: &str) -> Uuid {
    Uuid::from_bytes(Blake2b::<U16>::digest(name).into())
}

#[cfg(test)]
mod tests;
