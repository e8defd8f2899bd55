//! The fields of an element as they stand in its JSON text: each is judged on its own, so that a refusal can name it.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::refusal::{Reason, Refusal};

/// How old an element that arrives over HTTP may be.
pub const MAX_AGE: TimeDelta = TimeDelta::hours(48);
/// How far ahead of our clock a sender's clock may be.
pub const MAX_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// A field that must be there, read by `read`.
pub(crate) fn required<'a, T>(
    field: &'static str,
    raw: Option<&'a RawValue>,
    read: impl FnOnce(&'a RawValue) -> Result<T, Reason>,
) -> Result<T, Refusal> {
    optional(field, raw, read)?.ok_or(Refusal { field: Some(field), reason: Reason::Missing })
}

/// A field that may be left out.
pub(crate) fn optional<'a, T>(
    field: &'static str,
    raw: Option<&'a RawValue>,
    read: impl FnOnce(&'a RawValue) -> Result<T, Reason>,
) -> Result<Option<T>, Refusal> {
    raw.map(read).transpose().map_err(|reason| Refusal { field: Some(field), reason })
}

/// A string.
pub(crate) fn text(raw: &RawValue) -> Result<Cow<'_, str>, Reason> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    if !raw.get().starts_with('"') {
        return Err(Reason::WrongType);
    }
    // The syntax was checked with the element; what can still fail is an escape that is no character.
    serde_json::from_str::<Text<'_>>(raw.get()).map(|text| text.0).map_err(|_| Reason::Malformed)
}

/// A string within the bounds of ids.
pub(crate) fn bounded_text(raw: &RawValue, max_bytes: usize) -> Result<Cow<'_, str>, Reason> {
    let text = text(raw)?;
    check_id(&text, max_bytes)?;
    Ok(text)
}

/// The bounds of ids, for whoever has them of something else than JSON.
pub fn check_id(text: &str, max_bytes: usize) -> Result<(), Reason> {
    if text.is_empty() {
        return Err(Reason::Empty);
    }
    if text.len() > max_bytes {
        return Err(Reason::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(Reason::ControlCharacter);
    }
    Ok(())
}

/// A number.
pub(crate) fn number(raw: &RawValue) -> Result<f64, Reason> {
    if !raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return Err(Reason::WrongType);
    }
    // Every JSON number is a Rust float; one too large is infinite.
    raw.get().parse().map_err(|_| Reason::WrongType)
}

/// True or false.
pub(crate) fn boolean(raw: &RawValue) -> Result<bool, Reason> {
    match raw.get() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Reason::WrongType),
    }
}

/// An instant, of any age.
pub(crate) fn instant(raw: &RawValue) -> Result<DateTime<Utc>, Reason> {
    DateTime::parse_from_rfc3339(&text(raw)?).map(|at| at.to_utc()).map_err(|_| Reason::BadFormat)
}

/// Whether an instant is near enough to now.
pub(crate) fn check_age(
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    max_age: Option<TimeDelta>,
) -> Result<(), Reason> {
    if at > now + MAX_AHEAD {
        return Err(Reason::InFuture);
    }
    // RFC 3339 has a year 0, the tables begin with year 1.
    if at.year() < 1 || max_age.is_some_and(|max_age| at < now - max_age) {
        return Err(Reason::TooOld);
    }
    Ok(())
}
